// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	recordpb "github.com/libp2p/go-libp2p-record/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"
)

const kadProtocol = prefix + "/kad/1.0.0"

// kadAttacks lie to a DHT: in what they want stored, and in what they answer.
var kadAttacks = map[string]attack{
	"kad-garbage":        kadSend(func(*hostile) []byte { return delimited(random(300)) }),
	"kad-oversize":       kadSend(func(*hostile) []byte { return binary.AppendUvarint(nil, 1<<30) }),
	"kad-long":           kadSend(func(*hostile) []byte { return delimited(make([]byte, 1<<17)) }),
	"kad-cut":            kadCut,
	"kad-other-provider": kadSend(kadOtherProvider),
	"kad-other-owner":    kadSend(kadOtherOwner),
	"kad-no-key":         kadSend(kadNoKey),
	"kad-record-flood":   kadRecordFlood,
	"kad-provider-flood": kadProviderFlood,
	"kad-unread":         kadUnread,
	"kad-lies":           kadLies,
	"kad-silent":         kadAnswers(always(nil)),
	"kad-answer-garbage": kadAnswers(always(delimited(random(300)))),
	"kad-answer-huge":    kadAnswers(always(delimited(make([]byte, 1<<20)))),
	"kad-answer-endless": kadAnswers(always([]byte{0xff, 0xff, 0xff, 0xff, 0x7f})),
}

// composer gives the answer to a question.
type composer func(*hostile, *pb.Message) []byte

func always(answer []byte) composer {
	return func(*hostile, *pb.Message) []byte { return answer }
}

func kadNoKey(*hostile) []byte { return encodedKad(&pb.Message{Type: pb.Message_PUT_VALUE}) }

func encodedKad(message *pb.Message) []byte {
	bytes, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return delimited(bytes)
}

func kadStream(ctx context.Context, h *hostile, t target) (network.Stream, error) {
	s, err := h.NewStream(ctx, t.info.ID, kadProtocol)
	if err == nil {
		s.SetDeadline(time.Now().Add(15 * time.Second))
	}
	return s, err
}

// kadSend sends something on a stream of the DHT, ends it, and reads what comes.
func kadSend(compose func(*hostile) []byte) attack {
	return func(ctx context.Context, t target) (string, error) {
		h, err := connect(ctx, t, nil)
		if err != nil {
			return "", err
		}
		defer h.Close()
		s, err := kadStream(ctx, h, t)
		if err != nil {
			return "", err
		}
		s.Write(compose(h))
		s.CloseWrite()
		size, err := io.Copy(io.Discard, s)
		how := "end"
		if err != nil {
			how = "reset"
		}
		return fmt.Sprintf("peer=%s ended=%s read=%d", h.ID(), how, size), stillPings(ctx, h, t)
	}
}

// kadCut hangs up within a request.
func kadCut(ctx context.Context, t target) (string, error) {
	return kadSend(func(*hostile) []byte {
		return encodedKad(&pb.Message{Type: pb.Message_FIND_NODE, Key: random(32)})[:20]
	})(ctx, t)
}

func strangerPeer() pb.Message_Peer {
	id, _ := peer.IDFromPrivateKey(newKey())
	address := multiaddr.StringCast("/ip4/127.0.0.1/tcp/9")
	return pb.Message_Peer{Id: []byte(id), Addrs: [][]byte{address.Bytes()}}
}

func strangers(count int) []*pb.Message_Peer {
	all := make([]*pb.Message_Peer, count)
	for i := range all {
		one := strangerPeer()
		all[i] = &one
	}
	return all
}

func kadKey(name string) []byte {
	return append([]byte{0x12, 0x20}, fmt.Appendf(nil, "%-32s", name)...)
}

// kadOtherProvider says that others provide.
func kadOtherProvider(*hostile) []byte {
	return encodedKad(&pb.Message{Type: pb.Message_ADD_PROVIDER, Key: kadKey("stolen"),
		ProviderPeers: strangers(3)})
}

// kadOtherOwner puts a record that it says another has published; field 666 is rust-libp2p's.
func kadOtherOwner(*hostile) []byte {
	stranger := strangerPeer()
	put := &recordpb.Record{Key: []byte("/troupe/stolen"), Value: []byte("lie")}
	bytes, err := proto.Marshal(put)
	if err != nil {
		panic(err)
	}
	bytes = binary.AppendUvarint(bytes, 666<<3|2)
	bytes = append(bytes, delimited(stranger.Id)...)
	message, err := proto.Marshal(&pb.Message{Type: pb.Message_PUT_VALUE, Key: put.Key})
	if err != nil {
		panic(err)
	}
	message = binary.AppendUvarint(message, 3<<3|2)
	return delimited(append(message, delimited(bytes)...))
}

// kadFlood sends many requests on one stream, reading what is answered.
func kadFlood(ctx context.Context, t target, count int,
	compose func(*hostile, int) []byte) (string, error) {
	h, err := connect(ctx, t, nil)
	if err != nil {
		return "", err
	}
	defer h.Close()
	s, err := kadStream(ctx, h, t)
	if err != nil {
		return "", err
	}
	s.SetDeadline(time.Now().Add(30 * time.Second))
	go io.Copy(io.Discard, s)
	for i := range count {
		if _, err := s.Write(compose(h, i)); err != nil {
			return fmt.Sprintf("peer=%s sent=%d", h.ID(), i), nil
		}
	}
	s.CloseWrite()
	return fmt.Sprintf("peer=%s sent=%d", h.ID(), count), stillPings(ctx, h, t)
}

func kadRecordFlood(ctx context.Context, t target) (string, error) {
	value := random(10000)
	return kadFlood(ctx, t, t.number(0, 3000), func(_ *hostile, i int) []byte {
		key := fmt.Appendf(nil, "/troupe/flood-%d", i)
		return encodedKad(&pb.Message{Type: pb.Message_PUT_VALUE, Key: key,
			Record: &recordpb.Record{Key: key, Value: value}})
	})
}

func kadProviderFlood(ctx context.Context, t target) (string, error) {
	return kadFlood(ctx, t, t.number(0, 20000), func(h *hostile, i int) []byte {
		self := pb.Message_Peer{Id: []byte(h.ID())}
		return encodedKad(&pb.Message{Type: pb.Message_ADD_PROVIDER, Key: kadKey(fmt.Sprint(i)),
			ProviderPeers: []*pb.Message_Peer{&self}})
	})
}

// kadUnread asks again and again and reads no answer.
func kadUnread(ctx context.Context, t target) (string, error) {
	h, err := connect(ctx, t, nil)
	if err != nil {
		return "", err
	}
	defer h.Close()
	s, err := kadStream(ctx, h, t)
	if err != nil {
		return "", err
	}
	question := encodedKad(&pb.Message{Type: pb.Message_FIND_NODE, Key: []byte(t.info.ID)})
	s.SetWriteDeadline(time.Now().Add(20 * time.Second))
	sent := 0
	for err == nil {
		if _, err = s.Write(question); err == nil {
			sent++
		}
	}
	if !isClosed(err) {
		return "", fmt.Errorf("it was not told to stop: %w", err)
	}
	return fmt.Sprintf("peer=%s sent=%d", h.ID(), sent), stillPings(ctx, h, t)
}

// ---- answers ----

// kadAnswers stands in the target's table and answers its questions with what `compose` gives, for
// as long as the command says.
func kadAnswers(compose composer) attack {
	return func(ctx context.Context, t target) (string, error) {
		var asked atomic.Int64
		h, err := newHost()
		if err != nil {
			return "", err
		}
		defer h.Close()
		h.SetStreamHandler(protocol.ID(kadProtocol), func(s network.Stream) {
			defer s.Reset()
			from := bufio.NewReader(s)
			for {
				size, err := binary.ReadUvarint(from)
				if err != nil || size > 1<<20 {
					return
				}
				bytes := make([]byte, size)
				if _, err := io.ReadFull(from, bytes); err != nil {
					return
				}
				question := new(pb.Message)
				if proto.Unmarshal(bytes, question) != nil {
					return
				}
				asked.Add(1)
				say("asked peer=%s", h.ID())
				if _, err := s.Write(compose(h, question)); err != nil {
					return
				}
			}
		})
		if err := h.Connect(ctx, t.info); err != nil {
			return "", err
		}
		say("standing peer=%s", h.ID())
		select {
		case <-time.After(time.Duration(t.number(0, 10)) * time.Second):
		case <-ctx.Done():
		}
		return fmt.Sprintf("peer=%s asked=%d", h.ID(), asked.Load()), nil
	}
}

// lie names twenty peers that do not exist, and says that the target lives where we do.
func lie(h *hostile, t target, question *pb.Message) []byte {
	answer := &pb.Message{Type: question.Type, Key: question.Key, CloserPeers: strangers(20)}
	self := pb.Message_Peer{Id: []byte(t.info.ID), Addrs: [][]byte{h.Addrs()[0].Bytes()}}
	answer.CloserPeers = append(answer.CloserPeers, &self)
	switch question.Type {
	case pb.Message_GET_PROVIDERS:
		answer.ProviderPeers = strangers(20)
	case pb.Message_GET_VALUE:
		answer.Record = &recordpb.Record{Key: random(32), Value: []byte("lie")}
	}
	return encodedKad(answer)
}

// kadLies names peers that do not exist, ever new ones, and records of other keys.
func kadLies(ctx context.Context, t target) (string, error) {
	return kadAnswers(func(h *hostile, question *pb.Message) []byte {
		return lie(h, t, question)
	})(ctx, t)
}
