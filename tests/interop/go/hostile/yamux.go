// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

const (
	typeData, typeWindow, typePing, typeGoAway = 0, 1, 2, 3
	flagSYN, flagACK, flagFIN, flagRST         = 1, 2, 4, 8
	window                                     = 256 * 1024
)

// yamuxAttacks are frames that no muxer would send, on a connection that is otherwise good; and a
// few that are only unusual, which are to be taken.
var yamuxAttacks = map[string]attack{
	"bad-version":      frames(func(c *raw) { c.send([]byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) }),
	"bad-type":         frames(func(c *raw) { c.frame(77, 0, 0, 0, nil) }),
	"even-stream":      frames(func(c *raw) { c.frame(typeWindow, flagSYN, 2, 0, nil) }),
	"stream-zero":      frames(func(c *raw) { c.frame(typeWindow, flagSYN, 0, 0, nil) }),
	"stream-twice":     frames(func(c *raw) { c.open(1); c.open(1) }),
	"over-window":      frames(func(c *raw) { c.open(1); c.frame(typeData, 0, 1, window+1, nil) }),
	"over-window-late": frames(overWindowLate),
	"window-overflow": frames(func(c *raw) {
		c.open(1)
		c.frame(typeWindow, 0, 1, 0xffffffff, nil)
		c.frame(typeWindow, 0, 1, 0xffffffff, nil)
	}),
	"four-gigabytes": frames(func(c *raw) { c.frame(typeData, flagSYN, 1, 0xffffffff, nil) }),

	"ping-flood": flood(200000, func(c *raw, i uint32) { c.frame(typePing, flagSYN, 0, i, nil) }),
	"syn-flood":  flood(20000, func(c *raw, i uint32) { c.open(1 + 2*i) }),
	"rapid-reset": flood(50000, func(c *raw, i uint32) {
		c.open(1 + 2*i)
		c.frame(typeWindow, flagRST, 1+2*i, 0, nil)
	}),
	"empty-frames":    flood(200000, func(c *raw, _ uint32) { c.frame(typeData, 0, 1, 0, nil) }),
	"unknown-streams": flood(20000, func(c *raw, i uint32) { c.data(99+2*i, 0, make([]byte, 10)) }),
	"mute-streams":    muteStreams,

	"ping-answered":  pingAnswered,
	"syn-with-data":  synWithData,
	"go-away":        goAwayAndOn,
	"silent-session": silentSession,
}

// raw is a connection on which yamux is agreed and spoken by hand.
type raw struct {
	*secured
	failed error
}

func encodeFrame(kind uint8, flags uint16, stream, length uint32, body []byte) []byte {
	bytes := []byte{0, kind}
	bytes = binary.BigEndian.AppendUint16(bytes, flags)
	bytes = binary.BigEndian.AppendUint32(bytes, stream)
	bytes = binary.BigEndian.AppendUint32(bytes, length)
	return append(bytes, body...)
}

func connectRaw(ctx context.Context, t target) (*raw, error) {
	conn, err := secure(ctx, t, newKey())
	if err != nil {
		return nil, err
	}
	if err := agree(conn, "/yamux/1.0.0"); err != nil {
		conn.Close()
		return nil, err
	}
	return &raw{secured: conn}, nil
}

func (c *raw) send(bytes []byte) {
	if c.failed == nil {
		_, c.failed = c.Write(bytes)
	}
}

func (c *raw) frame(kind uint8, flags uint16, stream, length uint32, body []byte) {
	c.send(encodeFrame(kind, flags, stream, length, body))
}

func (c *raw) data(stream uint32, flags uint16, body []byte) {
	c.frame(typeData, flags, stream, uint32(len(body)), body)
}

func (c *raw) open(stream uint32) { c.frame(typeWindow, flagSYN, stream, 0, nil) }

type received struct {
	kind           uint8
	flags          uint16
	stream, length uint32
	body           []byte
}

func (c *raw) read() (received, error) {
	head := make([]byte, 12)
	if _, err := io.ReadFull(c, head); err != nil {
		return received{}, err
	}
	got := received{kind: head[1], flags: binary.BigEndian.Uint16(head[2:]),
		stream: binary.BigEndian.Uint32(head[4:]), length: binary.BigEndian.Uint32(head[8:])}
	if got.kind == typeData {
		got.body = make([]byte, got.length)
		_, err := io.ReadFull(c, got.body)
		return got, err
	}
	return got, nil
}

// await reads until a frame fits; answers pings meanwhile.
func (c *raw) await(fits func(received) bool) (received, error) {
	for {
		got, err := c.read()
		if err != nil || fits(got) {
			return got, err
		}
		if got.kind == typePing && got.flags&flagSYN != 0 {
			c.Write(encodeFrame(typePing, flagACK, 0, got.length, nil))
		}
	}
}

// frames sends what is forbidden; the other side is to say Go Away with an error and to end it.
func frames(send func(*raw)) attack {
	return func(ctx context.Context, t target) (string, error) {
		conn, err := connectRaw(ctx, t)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		send(conn)
		got, err := conn.await(func(got received) bool { return got.kind == typeGoAway })
		if err != nil {
			return "", fmt.Errorf("before a Go Away: %w", err)
		}
		how, err := ending(conn.raw)
		return fmt.Sprintf("code=%d %s", got.length, how), err
	}
}

// overWindowLate fills a window that nobody empties, and goes on.
func overWindowLate(c *raw) {
	c.open(1)
	c.data(1, 0, append(token(header), token(prefix+"/hold/1.0.0")...))
	for range 2 * window / 16384 {
		c.data(1, 0, make([]byte, 16384))
	}
}

// flood sends many frames without reading; then sees whether the other side still answers a ping,
// or has ended the connection, or takes no more.
func flood(count int, send func(*raw, uint32)) attack {
	return func(ctx context.Context, t target) (string, error) {
		conn, err := connectRaw(ctx, t)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		var sent atomic.Int64
		finished := make(chan struct{})
		go func() {
			for i := range count {
				send(conn, uint32(i))
				sent.Store(int64(i))
			}
			close(finished)
		}()
		// Reads nothing until no more is taken, or all was.
		stuck := false
		for last, still := int64(-1), 0; !stuck; {
			select {
			case <-finished:
				stuck = true
			case <-time.After(200 * time.Millisecond):
				if now := sent.Load(); now == last {
					still++
				} else {
					last, still = now, 0
				}
				stuck = still == 10
			}
		}
		say("flooded frames=%d", sent.Load())
		drained := make(chan error, 1)
		go func() {
			_, err := conn.await(func(got received) bool {
				return got.kind == typePing && got.flags&flagACK != 0 && got.length == 0xabcdef
			})
			drained <- err
		}()
		<-finished
		conn.frame(typePing, flagSYN, 0, 0xabcdef, nil)
		if err := <-drained; err != nil {
			return fmt.Sprintf("ended=yes after=%d", sent.Load()), nil
		}
		return fmt.Sprintf("ended=no after=%d", sent.Load()), nil
	}
}

// muteStreams opens as many streams as it gets, agrees on a protocol on each, and says nothing.
func muteStreams(ctx context.Context, t target) (string, error) {
	conn, err := connectRaw(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	count := uint32(t.number(1, 400))
	for i := range count {
		conn.data(1+2*i, flagSYN, append(token(header), token(t.word(0))...))
	}
	conn.frame(typePing, flagSYN, 0, 1, nil)
	resets := 0
	_, err = conn.await(func(got received) bool {
		if got.flags&flagRST != 0 {
			resets++
		}
		return got.kind == typePing && got.flags&flagACK != 0
	})
	return fmt.Sprintf("opened=%d resets=%d", count, resets), err
}

// ---- what is unusual and right ----

func pingAnswered(ctx context.Context, t target) (string, error) {
	conn, err := connectRaw(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	for _, value := range []uint32{0, 1, 0x80000000, 0xffffffff} {
		conn.frame(typePing, flagSYN, 0, value, nil)
		if _, err := conn.await(func(got received) bool {
			return got.kind == typePing && got.flags == flagACK && got.stream == 0 && got.length == value
		}); err != nil {
			return "", err
		}
	}
	return "pings=4", nil
}

// synWithData opens a stream, speaks and half-closes in one frame.
func synWithData(ctx context.Context, t target) (string, error) {
	conn, err := connectRaw(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	said := append(append(token(header), token("/ipfs/ping/1.0.0")...), make([]byte, 32)...)
	conn.data(1, flagSYN|flagFIN, said)
	var echoed []byte
	acknowledged := false
	_, err = conn.await(func(got received) bool {
		if got.stream == 1 {
			acknowledged = acknowledged || got.flags&flagACK != 0
			echoed = append(echoed, got.body...)
		}
		return got.stream == 1 && got.flags&flagFIN != 0
	})
	if err != nil {
		return "", err
	}
	if !acknowledged || len(echoed) != len(said) {
		return "", fmt.Errorf("acknowledged %t, %d bytes of %d", acknowledged, len(echoed), len(said))
	}
	return fmt.Sprintf("echoed=%d", len(echoed)), nil
}

// goAwayAndOn says Go Away: no streams are opened to it any more, those that are open go on.
func goAwayAndOn(ctx context.Context, t target) (string, error) {
	conn, err := connectRaw(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.data(1, flagSYN, append(token(header), token("/ipfs/ping/1.0.0")...))
	conn.frame(typeGoAway, 0, 0, 0, nil)
	conn.data(1, 0, make([]byte, 32))
	var echoed []byte
	_, err = conn.await(func(got received) bool {
		if got.stream == 1 {
			echoed = append(echoed, got.body...)
		}
		return len(echoed) >= len(token(header))+len(token("/ipfs/ping/1.0.0"))+32
	})
	return fmt.Sprintf("echoed=%d", len(echoed)), err
}

// silentSession answers nothing, not even pings; the other side is to find out.
func silentSession(ctx context.Context, t target) (string, error) {
	conn, err := connectRaw(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	how, err := ending(conn.raw)
	if err == nil && conn.failed != nil {
		err = errors.New("it could not even begin")
	}
	return how, err
}
