// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	identifypb "github.com/libp2p/go-libp2p/p2p/protocol/identify/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"
)

// protocolAttacks are made on streams, by an honest host that answers or asks dishonestly.
var protocolAttacks = map[string]attack{
	"identify-megabyte":      identified(sayAlways(bytes.Repeat([]byte{0x7f}, 1<<20))),
	"identify-garbage":       identified(sayAlways(delimited(random(500)))),
	"identify-cut":           identified(sayAlways([]byte{0xff, 0x3f, 1, 2, 3})),
	"identify-other-key":     identified(identifyOtherKey),
	"identify-other-record":  identified(identifyOtherRecord),
	"identify-forged-record": identified(identifyForgedRecord),
	"identify-many":          identified(identifyMany),
	"identify-hangs":         identifyHangs,
	"push-flood":             pushFlood,
	"ping-unread":            pingUnread,
	"stream-flood":           streamFlood,
	"negotiation-hangs":      negotiationHangs,
}

func sayAlways(message []byte) func(*hostile, network.Stream) []byte {
	return func(*hostile, network.Stream) []byte { return message }
}

// hostile is a whole libp2p host.
type hostile struct {
	host.Host
	key crypto.PrivKey
}

func newHost() (*hostile, error) {
	key := newKey()
	h, err := libp2p.New(
		libp2p.Identity(key),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(),
	)
	return &hostile{Host: h, key: key}, err
}

// delimited puts the length before a message.
func delimited(message []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(message))), message...)
}

// connect begins with a host that answers some protocols in its own way.
func connect(ctx context.Context, t target,
	handlers map[protocol.ID]network.StreamHandler) (*hostile, error) {
	h, err := newHost()
	if err != nil {
		return nil, err
	}
	for name, handler := range handlers {
		h.SetStreamHandler(name, handler)
	}
	return h, h.Connect(ctx, t.info)
}

// identified answers identify with what `compose` gives, and sees that it is taken or refused.
func identified(compose func(*hostile, network.Stream) []byte) attack {
	return func(ctx context.Context, t target) (string, error) {
		asked := make(chan error, 16)
		h, err := newHost()
		if err != nil {
			return "", err
		}
		defer h.Close()
		h.SetStreamHandler(identify.ID, func(s network.Stream) {
			_, err := s.Write(compose(h, s))
			s.CloseWrite()
			io.Copy(io.Discard, s)
			s.Close()
			asked <- err
		})
		if err := h.Connect(ctx, t.info); err != nil {
			return "", err
		}
		select {
		case err := <-asked:
			how := "taken"
			if err != nil {
				how = "reset"
			}
			return fmt.Sprintf("peer=%s said=%s", h.ID(), how), stillPings(ctx, h, t)
		case <-ctx.Done():
			return "", errors.New("identify was not asked")
		}
	}
}

// stillPings sees that the connection has outlived an attack.
func stillPings(ctx context.Context, h *hostile, t target) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	result, ok := <-ping.Ping(ctx, h, t.info.ID)
	if !ok {
		return errors.New("no answer to a ping")
	}
	return result.Error
}

func (h *hostile) message() *identifypb.Identify {
	agent := "hostile"
	return &identifypb.Identify{PublicKey: marshalled(h.key.GetPublic()), AgentVersion: &agent,
		Protocols: []string{ping.ID}, ListenAddrs: [][]byte{h.Addrs()[0].Bytes()}}
}

func encoded(message proto.Message) []byte {
	bytes, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return delimited(bytes)
}

func identifyOtherKey(h *hostile, _ network.Stream) []byte {
	message := h.message()
	message.PublicKey = marshalled(newKey().GetPublic())
	return encoded(message)
}

func recordOf(key crypto.PrivKey, id peer.ID) []byte {
	address := multiaddr.StringCast("/ip4/10.66.66.66/tcp/6666")
	envelope, err := record.Seal(&peer.PeerRecord{PeerID: id, Seq: 1,
		Addrs: []multiaddr.Multiaddr{address}}, key)
	if err != nil {
		panic(err)
	}
	bytes, err := envelope.Marshal()
	if err != nil {
		panic(err)
	}
	return bytes
}

// identifyOtherRecord shows the good record of somebody else.
func identifyOtherRecord(h *hostile, _ network.Stream) []byte {
	key := newKey()
	id, _ := peer.IDFromPrivateKey(key)
	message := h.message()
	message.SignedPeerRecord = recordOf(key, id)
	return encoded(message)
}

// identifyForgedRecord shows a record of its own that its key did not sign.
func identifyForgedRecord(h *hostile, _ network.Stream) []byte {
	message := h.message()
	message.SignedPeerRecord = recordOf(h.key, h.ID())
	message.SignedPeerRecord[len(message.SignedPeerRecord)-3] ^= 1
	return encoded(message)
}

// identifyMany says as much as go-libp2p reads: ten messages of 8 KiB, of protocols and addresses.
func identifyMany(h *hostile, _ network.Stream) []byte {
	var all []byte
	for i := range 10 {
		message := &identifypb.Identify{}
		if i == 0 {
			message = h.message()
		}
		for j := range 90 {
			message.Protocols = append(message.Protocols, fmt.Sprintf("/protocol/of/many/%d/%d", i, j))
			address := multiaddr.StringCast(fmt.Sprintf("/ip4/10.%d.%d.1/tcp/1", i, j))
			message.ListenAddrs = append(message.ListenAddrs, address.Bytes())
		}
		all = append(all, encoded(message)...)
	}
	return all
}

// identifyHangs never ends its answer.
func identifyHangs(ctx context.Context, t target) (string, error) {
	asked := make(chan error, 16)
	h, err := connect(ctx, t, map[protocol.ID]network.StreamHandler{
		identify.ID: func(s network.Stream) {
			s.Write([]byte{0xff})
			asked <- nil
			io.Copy(io.Discard, s)
		},
	})
	if err != nil {
		return "", err
	}
	defer h.Close()
	<-asked
	return fmt.Sprintf("peer=%s", h.ID()), stillPings(ctx, h, t)
}

// openMany opens streams of one protocol at once; gives those that are open, and how many were not.
func openMany(ctx context.Context, h *hostile, t target, name protocol.ID, count int,
	first []byte) ([]network.Stream, int) {
	var mutex sync.Mutex
	var open []network.Stream
	var refused atomic.Int64
	var all sync.WaitGroup
	for range count {
		all.Go(func() {
			s, err := h.NewStream(network.WithNoDial(ctx, "attack"), t.info.ID, name)
			if err == nil {
				_, err = s.Write(first)
			}
			if err != nil {
				refused.Add(1)
				return
			}
			mutex.Lock()
			defer mutex.Unlock()
			open = append(open, s)
		})
	}
	all.Wait()
	return open, int(refused.Load())
}

// countEnded waits until the other side has ended streams; gives how many within a time.
func countEnded(streams []network.Stream, within time.Duration) int {
	var ended atomic.Int64
	var all sync.WaitGroup
	for _, s := range streams {
		s.SetReadDeadline(time.Now().Add(within))
		all.Go(func() {
			if _, err := io.Copy(io.Discard, s); err == nil || isClosed(err) {
				ended.Add(1)
			}
		})
	}
	all.Wait()
	return int(ended.Load())
}

func pushFlood(ctx context.Context, t target) (string, error) {
	h, err := connect(ctx, t, nil)
	if err != nil {
		return "", err
	}
	defer h.Close()
	streams, refused := openMany(ctx, h, t, identify.IDPush, 100, []byte{0xff})
	ended := countEnded(streams, 3*time.Second)
	return fmt.Sprintf("peer=%s open=%d refused=%d ended=%d", h.ID(), len(streams), refused, ended),
		stillPings(ctx, h, t)
}

// pingUnread pings without reading an answer.
func pingUnread(ctx context.Context, t target) (string, error) {
	h, err := connect(ctx, t, nil)
	if err != nil {
		return "", err
	}
	defer h.Close()
	s, err := h.NewStream(ctx, t.info.ID, ping.ID)
	if err != nil {
		return "", err
	}
	sent := 0
	for ; sent < 64<<20; sent += 32768 {
		s.SetWriteDeadline(time.Now().Add(2 * time.Second))
		if _, err = s.Write(make([]byte, 32768)); err != nil {
			break
		}
	}
	if err == nil {
		return "", errors.New("64 MiB of pings were taken")
	}
	return fmt.Sprintf("peer=%s sent=%d", h.ID(), sent), stillPings(ctx, h, t)
}

// streamFlood opens streams of a protocol and keeps them.
func streamFlood(ctx context.Context, t target) (string, error) {
	h, err := connect(ctx, t, nil)
	if err != nil {
		return "", err
	}
	defer h.Close()
	streams, refused := openMany(ctx, h, t, protocol.ID(t.word(0)), t.number(1, 600), nil)
	say("opened streams=%d", len(streams))
	ended := countEnded(streams, time.Duration(t.number(2, 3))*time.Second)
	return fmt.Sprintf("peer=%s open=%d refused=%d ended=%d", h.ID(), len(streams), refused,
		ended), nil
}

// negotiationHangs opens streams and never says what they are for.
func negotiationHangs(ctx context.Context, t target) (string, error) {
	conn, err := connectRaw(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	for i := range uint32(100) {
		conn.open(1 + 2*i)
	}
	resets := 0
	_, err = conn.await(func(got received) bool {
		if got.flags&flagRST != 0 {
			resets++
		}
		return resets == 100
	})
	return fmt.Sprintf("resets=%d", resets), err
}
