// SPDX-License-Identifier: MIT
// A js-libp2p node that is told by lines of text what to do; see tests/interop/README.md.
// Usage: node peer.mjs [--keepalive MS] [--listen ADDR] [--mdns] [--transport]
import { createInterface } from 'node:readline'

// Node.js before 22 lacks this.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new Promise((a, b) => { resolve = a; reject = b })
  return { promise, resolve, reject }
}

const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { noise } = await import('@chainsafe/libp2p-noise')
const { yamux } = await import('@chainsafe/libp2p-yamux')
const { identify, identifyPush } = await import('@libp2p/identify')
const { ping } = await import('@libp2p/ping')
const { mdns } = await import('@libp2p/mdns')
const { kadDHT, passthroughMapper } = await import('@libp2p/kad-dht')
const { multiaddr } = await import('@multiformats/multiaddr')
const { peerIdFromString } = await import('@libp2p/peer-id')
const { CID } = await import('multiformats/cid')
const { decode: decodeDigest } = await import('multiformats/hashes/digest')
const { serve, serveEcho, talk, talkVerbs } = await import('./talk.mjs')
const { transportTest } = await import('./transport.mjs')

const PREFIX = '/troupe/interop'
const TIMEOUT_MS = 60_000
const MANY = { maxInboundStreams: 4096, maxOutboundStreams: 4096, runOnLimitedConnection: true }

const option = name => Number(process.argv[process.argv.indexOf(name) + 1])
const has = name => process.argv.includes(name)

export function say (line) {
  process.stdout.write(line + '\n')
}

function oneWord (error) {
  return String(error?.message ?? error).split(/\s+/).join('_')
}

// Says whom multicast DNS tells of, known to the node or not.
function discovery (components) {
  const service = mdns()(components)
  service.addEventListener('peer', ({ detail: e }) =>
    say(`discovered peer=${e.id} addresses=${e.multiaddrs.join()}`))
  return service
}

async function open (listen) {
  return createLibp2p({
    addresses: { listen: [listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(has('--keepalive') ? { keepAliveInterval: option('--keepalive') } : {})],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { inboundConnectionThreshold: 1000 },
    connectionMonitor: { enabled: false }, // it ends a connection when this machine is busy
    peerDiscovery: has('--mdns') ? [discovery] : [],
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping({ maxOutboundStreams: 16 }), // the DHT pings as well
      dht: kadDHT({
        protocol: `${PREFIX}/kad/1.0.0`,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        validators: { troupe: async () => {} },
        selectors: { troupe: () => 0 }
      })
    }
  })
}

// Says what happens to connections and what identify learns.
function watch (node) {
  const told = (what, { remotePeer: peer, direction }) =>
    say(`${what} peer=${peer} direction=${direction === 'outbound' ? 'out' : 'in'}` +
      ` connections=${node.getConnections(peer).length}`)
  node.addEventListener('connection:open', ({ detail }) => told('connected', detail))
  node.addEventListener('connection:close', ({ detail }) => told('disconnected', detail))
  node.addEventListener('peer:identify', ({ detail: e }) =>
    say(`identified peer=${e.peerId} agent=${(e.agentVersion ?? '').replaceAll(' ', '_')}` +
      ` protocols=${e.protocols.join()} addresses=${e.listenAddrs.join()}` +
      ` signed=${e.signedPeerRecord != null} observed=${e.observedAddr}`))
}

async function known (node, id) {
  const peer = await node.peerStore.get(id)
  const addresses = peer.addresses.map(one => one.multiaddr)
  return `protocols=${peer.protocols.join()} addresses=${addresses.join()}`
}

// A dial is a new connection, even when there is one.
async function dial (node, address) {
  await node.dial(multiaddr(address), { force: true, signal: AbortSignal.timeout(TIMEOUT_MS) })
}

async function pings (node, id, count) {
  let last = 0
  for (let i = 0; i < Math.max(count, 1); i++) {
    last = await node.services.ping.ping(id, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  }
  return `rtt_us=${Math.round(last * 1000)}`
}

// ---- the DHT; keys and values are hexadecimal ----

const cidOf = key => CID.createV1(0x55, decodeDigest(key))

async function kad (node, verb, args) {
  const dht = node.services.dht
  const [key, value] = args.map(text => new Uint8Array(Buffer.from(text, 'hex')))
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS) }
  const found = new Set()
  switch (verb) {
    case 'kad-table':
      return `peers=${[...dht.routingTable.kb.toIterable()].map(one => one.peerId).join()}`
    case 'kad-bootstrap':
      await dht.refreshRoutingTable()
      return ''
    case 'kad-find': {
      const sought = peerIdFromString(args[0]).toMultihash().bytes
      for await (const event of dht.getClosestPeers(sought, options)) {
        if (event.name === 'FINAL_PEER') found.add(event.peer.id.toString())
      }
      return `peers=${[...found].join()}`
    }
    case 'kad-provide': {
      let stored = 0
      for await (const event of dht.provide(cidOf(key), options)) {
        stored += event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER' ? 1 : 0
      }
      return `stored=${stored}`
    }
    case 'kad-providers':
      for await (const event of dht.findProviders(cidOf(key), options)) {
        if (event.name === 'PROVIDER') event.providers.forEach(one => found.add(one.id.toString()))
      }
      return `peers=${[...found].join()}`
    case 'kad-put':
      for await (const event of dht.put(key, value, options)) void event
      return ''
    case 'kad-get':
      for await (const event of dht.get(key, options)) {
        if (event.name === 'VALUE') return `value=${Buffer.from(event.value).toString('hex')}`
      }
      throw new Error('not found')
  }
  throw new Error(`no such verb: ${verb}`)
}

// ---- commands ----

async function perform (node, id, verb, args) {
  switch (verb) {
    case 'dial': return dial(node, args[0])
    case 'listen': return node.components.transportManager.listen([multiaddr(args[0])])
    case 'offer': return node.handle(args[0], serveEcho, MANY)
    case 'status': return `connections=${node.getConnections().length}`
    case 'hangup': return node.hangUp(peerIdFromString(args[0]))
    case 'known': return known(node, peerIdFromString(args[0]))
    case 'ping': return pings(node, peerIdFromString(args[0]), Number(args[1]))
  }
  if (verb.startsWith('kad-')) return kad(node, verb, args)
  if (talkVerbs.has(verb)) return talk(node, id, verb, args)
  throw new Error(`no such verb: ${verb}`)
}

async function main () {
  const node = await open(has('--listen') ? option('--listen') : '/ip4/127.0.0.1/tcp/0')
  watch(node)
  await serve(node, MANY)
  for (const address of node.getMultiaddrs()) say(`listening address=${address}`)
  for await (const line of createInterface({ input: process.stdin })) {
    const [id, verb, ...args] = line.split(' ')
    if (verb === 'quit') break
    perform(node, id, verb, args).then(
      answer => say(`done id=${id} ${answer ?? ''}`),
      error => say(`failed id=${id} why=${oneWord(error)}`))
  }
  await node.stop()
  process.exit(0)
}

if (has('--transport')) await transportTest()
else await main()
