// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multihash"
)

const (
	protocolEcho  = prefix + "/echo/1.0.0"
	protocolBulk  = prefix + "/bulk/1.0.0"
	protocolHold  = prefix + "/hold/1.0.0"
	protocolEarly = prefix + "/early/1.0.0"
	protocolCBOR  = prefix + "/cbor/1.0.0"
	protocolJSON  = prefix + "/json/1.0.0"
)

var (
	errContent = errors.New("what came is not what was to come")
	salts      atomic.Uint32
)

// counters are the bytes that running commands have written.
type counters struct {
	mutex  sync.Mutex
	counts map[string]*int64
}

func (c *counters) of(id string) *int64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.counts[id] == nil {
		c.counts[id] = new(int64)
	}
	return c.counts[id]
}

func (c *counters) get(id string) int64 { return atomic.LoadInt64(c.of(id)) }

// pattern is what is sent: 32-bit words, little-endian, a function of place and salt.
type pattern struct {
	salt     uint32
	at, size int
	sent     *int64
}

func (p *pattern) Read(into []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	n := min(len(into), p.size-p.at)
	for i := range n {
		word := (uint32((p.at+i)/4) + p.salt*1000003 + 1) * 0x9e3779b1
		into[i] = byte(word >> (8 * ((p.at + i) % 4)))
	}
	p.at += n
	if p.sent != nil {
		atomic.AddInt64(p.sent, int64(n))
	}
	return n, nil
}

func contentID(multihashBytes []byte) cid.Cid {
	return cid.NewCidV1(cid.Raw, multihash.Multihash(multihashBytes))
}

// ---- serving ----

func (n *node) serve() {
	handlers := map[protocol.ID]func(network.Stream) error{
		protocolBulk: serveBulk, protocolHold: n.serveHold, protocolEarly: serveEarly,
		protocolCBOR: serveRequest, protocolJSON: serveRequest,
	}
	for id, serve := range handlers {
		n.host.SetStreamHandler(id, func(s network.Stream) {
			if err := serve(s); err != nil {
				say("stream-ended protocol=%s why=%s", id, oneWord(err))
				s.Reset()
				return
			}
			s.Close()
		})
	}
	n.host.SetStreamHandler(protocolEcho, n.serveEcho)
}

func (n *node) serveEcho(s network.Stream) {
	if _, err := io.Copy(s, s); err != nil {
		say("stream-ended protocol=%s why=%s", s.Protocol(), oneWord(err))
		s.Reset()
		return
	}
	s.Close()
}

func serveBulk(s network.Stream) error {
	var want uint64
	if err := binary.Read(s, binary.BigEndian, &want); err != nil {
		return err
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, s); err != nil {
		return err
	}
	if _, err := s.Write(digest.Sum(nil)); err != nil {
		return err
	}
	digest = sha256.New()
	if _, err := io.Copy(io.MultiWriter(s, digest), &pattern{size: int(want)}); err != nil {
		return err
	}
	_, err := s.Write(digest.Sum(nil))
	return err
}

func (n *node) serveHold(s network.Stream) error {
	<-n.released
	size, err := io.Copy(io.Discard, s)
	if err == nil {
		_, err = fmt.Fprint(s, size)
	}
	return err
}

func serveEarly(s network.Stream) error {
	if _, err := s.Write([]byte("enough")); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	size, err := io.Copy(io.Discard, s)
	if err == nil {
		say("early bytes=%d", size)
	}
	return err
}

func serveRequest(s network.Stream) error {
	request, err := io.ReadAll(s)
	if err != nil {
		return err
	}
	_, err = s.Write(request)
	return err
}

// ---- asking ----

// stream opens one, and resets it unless what is done on it succeeds.
func (n *node) stream(ctx context.Context, id peer.ID, name protocol.ID,
	do func(network.Stream) error) error {
	s, err := n.host.NewStream(network.WithNoDial(ctx, "test"), id, name)
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		s.SetDeadline(deadline)
	}
	if err := do(s); err != nil {
		s.Reset()
		return err
	}
	s.Close()
	return nil
}

func echo(s network.Stream, size int) error {
	salt := salts.Add(1)
	written := make(chan error, 1)
	go func() {
		_, err := io.Copy(s, &pattern{salt: salt, size: size})
		written <- errors.Join(err, s.CloseWrite())
	}()
	want, _ := io.ReadAll(&pattern{salt: salt, size: size})
	got, err := io.ReadAll(s)
	if err := errors.Join(err, <-written); err != nil {
		return err
	}
	if !bytes.Equal(want, got) {
		return errContent
	}
	return nil
}

func (n *node) echoes(ctx context.Context, id peer.ID, count, size int) (string, error) {
	results := make(chan error, count)
	for range count {
		go func() {
			results <- n.stream(ctx, id, protocolEcho, func(s network.Stream) error {
				return echo(s, size)
			})
		}()
	}
	good := 0
	var last error
	for range count {
		if err := <-results; err != nil {
			last = err
		} else {
			good++
		}
	}
	if last != nil {
		return "", fmt.Errorf("%d of %d: %w", good, count, last)
	}
	return fmt.Sprintf("good=%d", good), nil
}

func bulk(s network.Stream, up, down int) error {
	if err := binary.Write(s, binary.BigEndian, uint64(down)); err != nil {
		return err
	}
	sent := sha256.New()
	if _, err := io.Copy(io.MultiWriter(s, sent), &pattern{salt: salts.Add(1), size: up}); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	theirs := make([]byte, sha256.Size)
	if _, err := io.ReadFull(s, theirs); err != nil {
		return err
	}
	got := sha256.New()
	if _, err := io.CopyN(got, s, int64(down)); err != nil {
		return err
	}
	tail, err := io.ReadAll(s)
	if err != nil {
		return err
	}
	if !bytes.Equal(theirs, sent.Sum(nil)) || !bytes.Equal(tail, got.Sum(nil)) {
		return errContent
	}
	return nil
}

func (n *node) talk(ctx context.Context, id peer.ID, o order) (string, error) {
	switch o.verb {
	case "echo":
		return n.echoes(ctx, id, o.number(1), o.number(2))
	case "bulk":
		return "", n.stream(ctx, id, protocolBulk, func(s network.Stream) error {
			return bulk(s, o.number(1), o.number(2))
		})
	case "hold":
		var counted []byte
		err := n.stream(ctx, id, protocolHold, func(s network.Stream) error {
			source := &pattern{size: o.number(1), sent: n.progress.of(o.id)}
			if _, err := io.Copy(s, source); err != nil {
				return err
			}
			err := s.CloseWrite()
			if err == nil {
				counted, err = io.ReadAll(s)
			}
			return err
		})
		return "counted=" + string(counted), err
	case "early":
		return "", n.stream(ctx, id, protocolEarly, func(s network.Stream) error {
			said, err := io.ReadAll(s)
			if err != nil {
				return err
			}
			if string(said) != "enough" {
				return errContent
			}
			_, err = io.Copy(s, &pattern{size: o.number(1)})
			return err
		})
	case "reset":
		err := n.stream(ctx, id, protocolEcho, func(s network.Stream) error {
			if _, err := io.Copy(s, &pattern{size: 10}); err != nil {
				return err
			}
			if _, err := io.ReadFull(s, make([]byte, 10)); err != nil {
				return err
			}
			return s.Reset()
		})
		return "", err
	case "open":
		return "", n.stream(ctx, id, protocol.ID(o.arg(1)), func(s network.Stream) error { return nil })
	case "request":
		request, err := hex.DecodeString(o.arg(2))
		if err != nil {
			return "", err
		}
		var response []byte
		err = n.stream(ctx, id, protocol.ID(o.arg(1)), func(s network.Stream) error {
			if _, err := s.Write(request); err != nil {
				return err
			}
			err := s.CloseWrite()
			if err == nil {
				response, err = io.ReadAll(s)
			}
			return err
		})
		return "value=" + hex.EncodeToString(response), err
	}
	return "", errors.New("no such verb: " + o.verb)
}
