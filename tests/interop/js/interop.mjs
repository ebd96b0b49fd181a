// Talks to a Troupe node with js-libp2p, both ways, and prints a line per case.
// Usage: node interop.mjs PATH_OF_TROUPE        Exit code 77: a tool is absent, skipped.
import { spawn, execFile } from 'node:child_process'
import { promisify } from 'node:util'

// Node.js before 22 lacks this.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new Promise((a, b) => { resolve = a; reject = b })
  return { promise, resolve, reject }
}

const troupe = process.argv[2]
const KAD = '/ipfs/kad/1.0.0'
const LIMIT_MS = 20_000

const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { noise } = await import('@chainsafe/libp2p-noise')
const { yamux } = await import('@chainsafe/libp2p-yamux')
const { identify, identifyPush } = await import('@libp2p/identify')
const { ping } = await import('@libp2p/ping')
const { kadDHT, passthroughMapper } = await import('@libp2p/kad-dht')
const { multiaddr } = await import('@multiformats/multiaddr')
const { CID } = await import('multiformats/cid')
const { sha256 } = await import('multiformats/hashes/sha2')
const run = promisify(execFile)

const stops = []
let passed = 0
let failed = 0

async function jsNode () {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dht: kadDHT({ protocol: KAD, clientMode: false, peerInfoMapper: passthroughMapper })
    }
  })
  stops.push(() => node.stop())
  return node
}

// Starts `troupe node` and gives the address it listens on.
async function troupeNode (...options) {
  const child = spawn(troupe, ['node', '--listen', '/ip4/127.0.0.1/tcp/0', '--kad-protocol', KAD, ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  stops.push(() => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', data => {
      text += data
      const found = text.match(/^listening (\S+)$/m)
      if (found) resolve(multiaddr(found[1]))
    })
    child.on('exit', code => reject(new Error(`troupe node ended with ${code}`)))
  })
}

async function eventually (what, check) {
  const end = Date.now() + LIMIT_MS
  for (;;) {
    const value = await check()
    if (value) return value
    if (Date.now() > end) throw new Error(`${what}: not within ${LIMIT_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function test (name, body) {
  const timer = Promise.withResolvers()
  const timeout = setTimeout(() => timer.reject(new Error('out of time')), 2 * LIMIT_MS)
  try {
    await Promise.race([body(), timer.promise])
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}: ${error.stack ?? error}`)
  } finally {
    clearTimeout(timeout)
  }
}

function expect (condition, text) {
  if (!condition) throw new Error(text)
}

const address = await troupeNode()
const peer = address.toString().split('/p2p/')[1]
const a = await jsNode()
const b = await jsNode()

await test('js dials troupe: TCP, Noise, yamux', async () => {
  const connection = await a.dial(address)
  expect(connection.remotePeer.toString() === peer, 'another PeerId')
  expect(connection.multiplexer === '/yamux/1.0.0', `muxer ${connection.multiplexer}`)
  await b.dial(address)
})

await test('js identifies troupe', async () => {
  const known = await eventually('identify', async () => {
    const [connection] = a.getConnections()
    const found = await a.peerStore.get(connection.remotePeer)
    return found.protocols.length > 0 ? found : null
  })
  for (const protocol of ['/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', KAD, '/kameo/messaging/1.0.0']) {
    expect(known.protocols.includes(protocol), `no ${protocol} among ${known.protocols}`)
  }
  const agent = new TextDecoder().decode(known.metadata.get('AgentVersion'))
  expect(agent.startsWith('troupe/'), `agent ${agent}`)
  expect(known.addresses.some(one => one.isCertified), 'no certified address: the signed record was not taken')
})

await test('js pings troupe', async () => {
  for (let i = 0; i < 3; i++) {
    expect(await a.services.ping.ping(address) >= 0, 'no round trip')
  }
})

await test('js finds js through troupe: FIND_NODE', async () => {
  const found = await eventually('FIND_NODE', async () => {
    for await (const event of a.services.dht.getClosestPeers(b.peerId.toMultihash().bytes)) {
      if (event.name === 'PEER_RESPONSE' && event.from.toString() === peer &&
          event.closer.some(one => one.id.equals(b.peerId))) return event
    }
    return null
  })
  const closer = found.closer.find(one => one.id.equals(b.peerId))
  expect(closer.multiaddrs.length > 0, 'without an address')
})

await test('js provides, troupe keeps it, another js finds it', async () => {
  const cid = CID.createV1(0x55, await sha256.digest(new TextEncoder().encode('troupe')))
  for await (const event of a.services.dht.provide(cid)) void event
  await eventually('providers', async () => {
    for await (const event of b.services.dht.findProviders(cid)) {
      if (event.name === 'PEER_RESPONSE' && event.from.toString() === peer &&
          event.providers.some(one => one.id.equals(a.peerId))) return true
    }
    return false
  })
})

await test('troupe dials js, and finds another js by FIND_NODE', async () => {
  await b.dial(a.getMultiaddrs()[0])
  const found = await eventually('peers', async () => {
    const { stdout } = await run(troupe, ['peers', '--kad-protocol', KAD, '--bootstrap', a.getMultiaddrs()[0].toString()])
      .catch(error => error)
    const peers = JSON.parse(stdout || '[]')
    return peers.some(one => one.peer === a.peerId.toString() && one.connected) &&
      peers.some(one => one.peer === b.peerId.toString()) ? peers : null
  })
  expect(found.length > 0, 'nobody')
})

await test('a troupe node that bootstraps from js enters its table', async () => {
  const second = await troupeNode('--bootstrap', a.getMultiaddrs()[0].toString())
  const id = second.toString().split('/p2p/')[1]
  await eventually('the table of js', async () => {
    for await (const event of b.services.dht.getClosestPeers(new TextEncoder().encode('anything'))) {
      if (event.name === 'PEER_RESPONSE' && event.from.toString() === id) return true
    }
    return false
  })
})

for (const stop of stops.reverse()) await stop()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
