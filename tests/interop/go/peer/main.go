// SPDX-License-Identifier: MIT

// A go-libp2p node that is told by lines of text what to do; see tests/interop/README.md.
//
// Usage: peer [--key ed25519|rsa|ecdsa|secp256k1] [--keepalive MS] [--kad PREFIX] [--listen ADDR]
//
//	[--mdns] [--transport]
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	yamuxtransport "github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
)

const (
	prefix  = "/troupe/interop"
	timeout = 60 * time.Second
)

// node is the host and what its commands share.
type node struct {
	host     host.Host
	dht      *dht.IpfsDHT
	mdns     mdns.Service  // nil: none
	released chan struct{} // closed once held streams are to be read
	progress counters
}

// order is a command: its name in the answer, the verb, the rest.
type order struct {
	id, verb string
	args     []string
}

func (o order) arg(i int) string {
	if i < len(o.args) {
		return o.args[i]
	}
	return ""
}

func (o order) number(i int) int {
	n, _ := strconv.Atoi(o.arg(i))
	return n
}

func (o order) peer() (peer.ID, error) { return peer.Decode(o.arg(0)) }

var out = make(chan string, 1024)

func say(format string, values ...any) { out <- fmt.Sprintf(format, values...) + "\n" }

func join[T fmt.Stringer](values []T) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = value.String()
	}
	return strings.Join(texts, ",")
}

func makeKey(kind string) (crypto.PrivKey, error) {
	kinds := map[string]int{"ed25519": crypto.Ed25519, "rsa": crypto.RSA, "ecdsa": crypto.ECDSA,
		"secp256k1": crypto.Secp256k1}
	number, known := kinds[kind]
	if !known {
		return nil, errors.New("no such kind of key: " + kind)
	}
	key, _, err := crypto.GenerateKeyPairWithReader(number, 2048, rand.Reader)
	return key, err
}

func open(key string, keepalive time.Duration, listen string) (*node, error) {
	private, err := makeKey(key)
	if err != nil {
		return nil, err
	}
	muxer := *yamuxtransport.DefaultTransport
	if keepalive > 0 {
		muxer.KeepAliveInterval = keepalive
		muxer.MeasureRTTInterval = keepalive
	}
	h, err := libp2p.New(
		libp2p.Identity(private),
		libp2p.ListenAddrStrings(listen),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamuxtransport.ID, &muxer),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(),
	)
	if err != nil {
		return nil, err
	}
	n := &node{host: h, released: make(chan struct{})}
	n.progress.counts = make(map[string]*int64)
	n.serve()
	if err := n.watch(); err != nil {
		return nil, err
	}
	n.dht, err = dht.New(h, dht.Mode(dht.ModeServer), dht.ProtocolPrefix(prefix),
		dht.NamespacedValidator("troupe", anything{}), dht.DisableAutoRefresh())
	return n, err
}

// anything is a validator of records that takes all of them.
type anything struct{}

func (anything) Validate(string, []byte) error        { return nil }
func (anything) Select(string, [][]byte) (int, error) { return 0, nil }

// watch says what happens to connections and what identify learns.
func (n *node) watch() error {
	direction := func(c network.Conn) string {
		if c.Stat().Direction == network.DirOutbound {
			return "out"
		}
		return "in"
	}
	n.host.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			say("connected peer=%s direction=%s connections=%d", c.RemotePeer(), direction(c),
				len(n.host.Network().ConnsToPeer(c.RemotePeer())))
		},
		DisconnectedF: func(_ network.Network, c network.Conn) {
			say("disconnected peer=%s direction=%s connections=%d", c.RemotePeer(), direction(c),
				len(n.host.Network().ConnsToPeer(c.RemotePeer())))
		},
	})
	events, err := n.host.EventBus().Subscribe([]any{
		new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerIdentificationFailed)})
	if err != nil {
		return err
	}
	go func() {
		for one := range events.Out() {
			switch e := one.(type) {
			case event.EvtPeerIdentificationCompleted:
				say("identified peer=%s agent=%s protocols=%s addresses=%s signed=%t observed=%s",
					e.Peer, strings.ReplaceAll(e.AgentVersion, " ", "_"),
					strings.Join(protocol.ConvertToStrings(e.Protocols), ","), join(e.ListenAddrs),
					e.SignedPeerRecord != nil, e.ObservedAddr)
			case event.EvtPeerIdentificationFailed:
				say("identify-failed peer=%s why=%s", e.Peer, oneWord(e.Reason))
			}
		}
	}()
	return nil
}

func oneWord(err error) string { return strings.Join(strings.Fields(err.Error()), "_") }

func (n *node) dial(ctx context.Context, o order) (string, error) {
	info, err := peer.AddrInfoFromString(o.arg(0))
	if err != nil {
		return "", err
	}
	return "", n.host.Connect(network.WithForceDirectDial(ctx, "test"), *info)
}

func (n *node) listen(o order) (string, error) {
	address, err := multiaddr.NewMultiaddr(o.arg(0))
	if err != nil {
		return "", err
	}
	return "", n.host.Network().Listen(address)
}

// known says what the peer store has of a peer now, pushes included.
func (n *node) known(id peer.ID) (string, error) {
	protocols, err := n.host.Peerstore().GetProtocols(id)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("protocols=%s addresses=%s",
		strings.Join(protocol.ConvertToStrings(protocols), ","),
		join(n.host.Peerstore().Addrs(id))), nil
}

func (n *node) ping(ctx context.Context, id peer.ID, count int) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := ping.Ping(ctx, n.host, id)
	var last time.Duration
	for i := 0; i < max(count, 1); i++ {
		result, ok := <-results
		if !ok || result.Error != nil {
			return "", fmt.Errorf("ping %d: %w", i, result.Error)
		}
		last = result.RTT
	}
	return fmt.Sprintf("rtt_us=%d", last.Microseconds()), nil
}

func (n *node) do(ctx context.Context, o order) (string, error) {
	switch o.verb {
	case "dial":
		return n.dial(ctx, o)
	case "listen":
		return n.listen(o)
	case "offer":
		n.host.SetStreamHandler(protocol.ID(o.arg(0)), n.serveEcho)
		return "", nil
	case "release":
		close(n.released)
		return "", nil
	case "status":
		return fmt.Sprintf("connections=%d", len(n.host.Network().Conns())), nil
	case "progress":
		return fmt.Sprintf("sent=%d", n.progress.get(o.arg(0))), nil
	case "kad-table", "kad-provide", "kad-providers", "kad-put", "kad-get", "kad-bootstrap":
		return n.kad(ctx, o)
	}
	id, err := o.peer()
	if err != nil {
		return "", err
	}
	switch o.verb {
	case "hangup":
		return "", n.host.Network().ClosePeer(id)
	case "known":
		return n.known(id)
	case "ping":
		return n.ping(ctx, id, o.number(1))
	case "kad-find":
		return n.kad(ctx, o)
	}
	return n.talk(ctx, id, o)
}

// kad does what concerns the DHT. Keys and values are hexadecimal.
func (n *node) kad(ctx context.Context, o order) (string, error) {
	key, _ := hex.DecodeString(o.arg(0))
	value, _ := hex.DecodeString(o.arg(1))
	switch o.verb {
	case "kad-table":
		return "peers=" + join(n.dht.RoutingTable().ListPeers()), nil
	case "kad-bootstrap":
		return "", <-n.dht.RefreshRoutingTable()
	case "kad-find":
		id, err := o.peer()
		if err != nil {
			return "", err
		}
		peers, err := n.dht.GetClosestPeers(ctx, string(id))
		return "peers=" + join(peers), err
	case "kad-provide":
		return "", n.dht.Provide(ctx, contentID(key), true)
	case "kad-providers":
		var found []peer.ID
		for info := range n.dht.FindProvidersAsync(ctx, contentID(key), 0) {
			found = append(found, info.ID)
		}
		return "peers=" + join(found), nil
	case "kad-put":
		return "", n.dht.PutValue(ctx, string(key), value)
	default:
		value, err := n.dht.GetValue(ctx, string(key))
		return "value=" + hex.EncodeToString(value), err
	}
}

func (n *node) close() {
	if n.mdns != nil {
		n.mdns.Close()
	}
	n.host.Close()
}

func (n *node) run() {
	defer n.close()
	lines := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		o := order{id: words[0], verb: words[1], args: words[2:]}
		if o.verb == "quit" {
			return
		}
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			answer, err := n.do(ctx, o)
			if err != nil {
				say("failed id=%s why=%s", o.id, oneWord(err))
			} else {
				say("done id=%s %s", o.id, answer)
			}
		}()
	}
}

func main() {
	key := flag.String("key", "ed25519", "kind of the host key")
	keepalive := flag.Int("keepalive", 0, "milliseconds between yamux pings")
	listen := flag.String("listen", "/ip4/127.0.0.1/tcp/0", "multiaddr")
	discover := flag.Bool("mdns", false, "find others on the local network")
	transport := flag.Bool("transport", false, "do as the transport interoperability suite says")
	flag.Parse()
	if *transport {
		if err := transportTest(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	go func() {
		for line := range out {
			os.Stdout.WriteString(line)
		}
	}()
	n, err := open(*key, time.Duration(*keepalive)*time.Millisecond, *listen)
	if err == nil && *discover {
		err = n.discover()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, address := range n.host.Addrs() {
		say("listening address=%s/p2p/%s", address, n.host.ID())
	}
	n.run()
}
