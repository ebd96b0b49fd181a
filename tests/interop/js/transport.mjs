// SPDX-License-Identifier: MIT
// The conventions of libp2p's transport interoperability suite, over TCP with Noise and yamux.
import { connect } from 'node:net'
import { createLibp2p } from 'libp2p'
import { tcp } from '@libp2p/tcp'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'

// Sends one command and reads one answer; an array gives its last text.
function redis (...words) {
  const [host, port] = process.env.redis_addr.split(':')
  const { promise, resolve, reject } = Promise.withResolvers()
  const socket = connect(Number(port), host)
  let text = ''
  socket.setEncoding('utf8')
  socket.on('error', reject)
  socket.on('end', () => reject(new Error('redis hung up')))
  socket.on('data', (data) => {
    text += data
    const lines = text.split('\r\n')
    const kind = lines[0][0]
    const wanted = kind === '*' ? 1 + 2 * Number(lines[0].slice(1)) : kind === '$' ? 2 : 1
    if (lines.length <= wanted) return
    socket.destroy()
    if (kind === '-') reject(new Error(lines[0]))
    else resolve(lines[wanted - 1])
  })
  const encoded = words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  socket.write(`*${words.length}\r\n${encoded.join('')}`)
  return promise
}

export async function transportTest () {
  const seconds = process.env.test_timeout_seconds ?? '180'
  setTimeout(() => process.exit(1), Number(seconds) * 1000)
  const dialer = process.env.is_dialer === 'true'
  const node = await createLibp2p({
    addresses: { listen: dialer ? [] : [`/ip4/${process.env.ip}/tcp/0`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify(), ping: ping() }
  })
  if (!dialer) {
    await redis('RPUSH', 'listenerAddr', node.getMultiaddrs()[0].toString())
    return
  }
  const address = multiaddr(await redis('BLPOP', 'listenerAddr', seconds))
  const began = performance.now()
  const connection = await node.dial(address)
  const pingRTTMilllis = await node.services.ping.ping(connection.remotePeer)
  const handshakePlusOneRTTMillis = performance.now() - began
  console.log(JSON.stringify({ handshakePlusOneRTTMillis, pingRTTMilllis }))
  await node.stop()
  process.exit(0)
}
