// SPDX-License-Identifier: MIT
// The stream protocols of the interoperability tests.
import { createHash } from 'node:crypto'
import { peerIdFromString } from '@libp2p/peer-id'

const PREFIX = '/troupe/interop'
const CHUNK_BYTES = 16384
const protocol = name => `${PREFIX}/${name}/1.0.0`

export const talkVerbs = new Set(
  ['echo', 'bulk', 'hold', 'early', 'reset', 'request', 'open', 'release', 'progress'])

const released = Promise.withResolvers()
const progress = new Map() // bytes that running commands have written
let salts = 0

class WrongContent extends Error {
  message = 'what came is not what was to come'
}

// What is sent: 32-bit words, little-endian, a function of place and salt.
function * pattern (salt, size) {
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const words = new Uint32Array(CHUNK_BYTES / 4)
    for (let i = 0; i < words.length; i++) {
      words[i] = Math.imul(at / 4 + i + Math.imul(salt, 1000003) + 1, 0x9e3779b1)
    }
    yield new Uint8Array(words.buffer, 0, Math.min(CHUNK_BYTES, size - at))
  }
}

async function send (stream, parts, sent = () => {}) {
  for (const chunk of parts) {
    if (!stream.send(chunk)) await stream.onDrain()
    sent(chunk)
  }
}

// What comes on a stream. Its own iterator never ends when the other side had said all before it
// began (js-libp2p 3.3.11), as peers do that propose a protocol and speak in one packet.
async function * chunks (stream) {
  const queue = []
  let failure
  let wake = Promise.withResolvers()
  const happened = () => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  stream.addEventListener('message', ({ data }) => {
    queue.push(data.subarray())
    happened()
  })
  stream.addEventListener('close', ({ error }) => {
    failure = error
    happened()
  })
  stream.addEventListener('remoteCloseWrite', happened)
  for (;;) {
    if (queue.length > 0) {
      yield queue.shift()
    } else if (failure != null || stream.status === 'reset') {
      throw failure ?? new Error('reset by the peer')
    } else if (stream.remoteWriteStatus !== 'writable' && stream.readBufferLength === 0) {
      return
    } else {
      await wake.promise
    }
  }
}

async function readAll (stream) {
  const all = []
  for await (const chunk of chunks(stream)) all.push(chunk)
  return Buffer.concat(all)
}

// ---- serving ----

const say = line => process.stdout.write(line + '\n')

function served (body) {
  return async (stream) => {
    try {
      await body(stream)
      await stream.close()
    } catch (error) {
      say(`stream-ended protocol=${stream.protocol} why=${error.message.replaceAll(' ', '_')}`)
      stream.abort(error)
    }
  }
}

export const serveEcho = served(async (stream) => {
  for await (const chunk of chunks(stream)) await send(stream, [chunk])
})

const serveBulk = served(async (stream) => {
  let head = Buffer.alloc(0)
  const digest = createHash('sha256')
  for await (const chunk of chunks(stream)) {
    const missing = Math.min(8 - head.length, chunk.length)
    head = Buffer.concat([head, chunk.subarray(0, missing)])
    digest.update(chunk.subarray(missing))
  }
  await send(stream, [digest.digest()])
  const sent = createHash('sha256')
  await send(stream, pattern(0, Number(head.readBigUInt64BE())), chunk => sent.update(chunk))
  await send(stream, [sent.digest()])
})

const serveHold = served(async (stream) => {
  stream.pause()
  await released.promise
  stream.resume()
  let size = 0
  for await (const chunk of chunks(stream)) size += chunk.byteLength
  await send(stream, [Buffer.from(String(size))])
})

const serveEarly = served(async (stream) => {
  await send(stream, [Buffer.from('enough')])
  await stream.close()
  let size = 0
  for await (const chunk of chunks(stream)) size += chunk.byteLength
  say(`early bytes=${size}`)
})

const serveRequest = served(async (stream) => send(stream, [await readAll(stream)]))

export async function serve (node, options) {
  const handlers = {
    echo: serveEcho,
    bulk: serveBulk,
    hold: serveHold,
    early: serveEarly,
    cbor: serveRequest,
    json: serveRequest
  }
  for (const [name, handler] of Object.entries(handlers)) {
    await node.handle(protocol(name), handler, options)
  }
}

// ---- asking ----

// Opens a stream, and resets it unless what is done on it succeeds.
async function withStream (node, peer, name, body) {
  const [connection] = node.getConnections(peer)
  if (connection == null) throw new Error('not connected')
  const stream = await connection.newStream(name, { maxOutboundStreams: 4096 })
  try {
    return await body(stream)
  } catch (error) {
    stream.abort(error)
    throw error
  }
}

async function echo (stream, size) {
  const salt = salts++
  const writing = send(stream, pattern(salt, size)).then(async () => stream.close())
  const got = await readAll(stream)
  await writing
  if (!got.equals(Buffer.concat([...pattern(salt, size)]))) throw new WrongContent()
}

async function bulk (stream, up, down) {
  const want = Buffer.alloc(8)
  want.writeBigUInt64BE(BigInt(down))
  const sent = createHash('sha256')
  await send(stream, [want])
  await send(stream, pattern(salts++, up), chunk => sent.update(chunk))
  const closing = stream.close()
  const got = createHash('sha256')
  let at = 0
  let [theirs, tail] = [Buffer.alloc(0), Buffer.alloc(0)]
  for await (const chunk of chunks(stream)) {
    const head = chunk.subarray(0, Math.max(0, 32 - at))
    theirs = Buffer.concat([theirs, head])
    const content = chunk.subarray(head.length, Math.max(head.length, 32 + down - at))
    got.update(content)
    tail = Buffer.concat([tail, chunk.subarray(head.length + content.length)])
    at += chunk.length
  }
  await closing
  if (!theirs.equals(sent.digest()) || !tail.equals(got.digest())) throw new WrongContent()
}

async function early (stream, size) {
  const said = (await readAll(stream)).toString()
  if (said !== 'enough') throw new WrongContent()
  await send(stream, pattern(0, size))
  await stream.close()
}

async function reset (stream) {
  const echoed = chunks(stream)
  await send(stream, [Buffer.alloc(10)])
  for (let got = 0; got < 10;) {
    const { value, done } = await echoed.next()
    if (done) throw new Error('it ended')
    got += value.byteLength
  }
  stream.abort(new Error('asked for'))
}

export async function talk (node, id, verb, args) {
  if (verb === 'release') return released.resolve()
  if (verb === 'progress') return `sent=${progress.get(args[0]) ?? 0}`
  const peer = peerIdFromString(args[0])
  switch (verb) {
    case 'open': return withStream(node, peer, args[1], async stream => stream.close())
    case 'echo': {
      const all = Array.from({ length: Number(args[1]) }, async () =>
        withStream(node, peer, protocol('echo'), stream => echo(stream, Number(args[2]))))
      await Promise.all(all)
      return `good=${all.length}`
    }
    case 'bulk':
      return withStream(node, peer, protocol('bulk'),
        stream => bulk(stream, Number(args[1]), Number(args[2])))
    case 'hold':
      return withStream(node, peer, protocol('hold'), async (stream) => {
        let count = 0
        await send(stream, pattern(0, Number(args[1])),
          chunk => progress.set(id, count += chunk.length))
        await stream.close()
        return `counted=${await readAll(stream)}`
      })
    case 'early':
      return withStream(node, peer, protocol('early'), stream => early(stream, Number(args[1])))
    case 'reset':
      return withStream(node, peer, protocol('echo'), reset)
    case 'request':
      return withStream(node, peer, args[1], async (stream) => {
        await send(stream, [Buffer.from(args[2], 'hex')])
        await stream.close()
        return `value=${(await readAll(stream)).toString('hex')}`
      })
  }
}
