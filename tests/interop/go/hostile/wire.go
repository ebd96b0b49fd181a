// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wireAttacks are made on a bare TCP connection, before anything is agreed.
var wireAttacks = map[string]attack{
	"half-open": halfOpen,
	"slowloris": slowloris,
	"hang-up":   hangUpFlood,
	"garbage": func(ctx context.Context, t target) (string, error) {
		return sendAndSee(ctx, t, random(4096))
	},
	"http": func(ctx context.Context, t target) (string, error) {
		return sendAndSee(ctx, t, []byte("GET / HTTP/1.1\r\nHost: troupe\r\n\r\n"))
	},
	"tls": func(ctx context.Context, t target) (string, error) {
		return sendAndSee(ctx, t, append([]byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01}, random(600)...))
	},
	"zeroes": func(ctx context.Context, t target) (string, error) {
		return sendAndSee(ctx, t, make([]byte, 65536))
	},
	"long-token": func(ctx context.Context, t target) (string, error) {
		long := append([]byte{0xff, 0x7f}, make([]byte, 20000)...)
		return sendAndSee(ctx, t, append(token(header), long...))
	},
	"endless-proposals": func(ctx context.Context, t target) (string, error) {
		return repeat(ctx, t, token(header), token("/nobody/speaks/this"))
	},
	"endless-ls": func(ctx context.Context, t target) (string, error) {
		return repeat(ctx, t, token(header), token("ls"))
	},
}

const header = "/multistream/1.0.0"

// token is a message of multistream-select.
func token(text string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(text)+1)), (text + "\n")...)
}

// random gives bytes without sense, the same every time.
func random(size int) []byte {
	bytes := make([]byte, size)
	rand.NewChaCha8([32]byte{1, byte(size), byte(size >> 8)}).Read(bytes)
	return bytes
}

func dialTCP(ctx context.Context, t target) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, t.network, t.address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	return conn, nil
}

// ending reads to the end of a connection; says how it came.
func ending(from io.Reader) (string, error) {
	began := time.Now()
	size, err := io.Copy(io.Discard, from)
	how := "eof"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", errors.New("it was not ended")
	}
	if err != nil {
		how = "reset"
	}
	return fmt.Sprintf("ended=%s read=%d ms=%d", how, size, time.Since(began).Milliseconds()), nil
}

// sendAndSee sends some bytes and sees how the connection ends.
func sendAndSee(ctx context.Context, t target, sent []byte) (string, error) {
	conn, err := dialTCP(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.Write(sent)
	return ending(conn)
}

// repeat sends a beginning, then one thing again and again until the connection ends.
func repeat(ctx context.Context, t target, begin, again []byte) (string, error) {
	conn, err := dialTCP(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write(begin); err != nil {
		return "", err
	}
	go func() {
		for {
			if _, err := conn.Write(again); err != nil {
				return
			}
		}
	}()
	return ending(conn)
}

// halfOpen keeps connections that say nothing; sees how many are ended by the other side.
func halfOpen(ctx context.Context, t target) (string, error) {
	count := t.number(0, 200)
	var ended atomic.Int64
	var all sync.WaitGroup
	refused := 0
	for range count {
		conn, err := dialTCP(ctx, t)
		if err != nil { // reset as soon as it was accepted
			refused++
			continue
		}
		defer conn.Close()
		all.Go(func() {
			if _, err := ending(conn); err == nil {
				ended.Add(1)
			}
		})
	}
	say("opened connections=%d", count-refused)
	all.Wait()
	if int(ended.Load()) < count-refused {
		return "", fmt.Errorf("only %d of %d were ended", ended.Load(), count-refused)
	}
	return fmt.Sprintf("refused=%d ended=%d", refused, ended.Load()), nil
}

// slowloris says the right thing, a byte at a time.
func slowloris(ctx context.Context, t target) (string, error) {
	conn, err := dialTCP(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	said := bytes.Join([][]byte{token(header), token("/noise")}, nil)
	go func() {
		for i := 0; ; i++ {
			if _, err := conn.Write(said[i%len(said) : i%len(said)+1]); err != nil {
				return
			}
			select {
			case <-time.After(300 * time.Millisecond):
			case <-ctx.Done():
				return
			}
		}
	}()
	return ending(conn)
}

// hangUpFlood connects and hangs up, many times.
func hangUpFlood(ctx context.Context, t target) (string, error) {
	count := t.number(0, 1000)
	for i := range count {
		conn, err := dialTCP(ctx, t)
		if err != nil {
			return "", fmt.Errorf("at %d: %w", i, err)
		}
		if i%2 == 0 {
			conn.(*net.TCPConn).SetLinger(0) // a reset
		}
		conn.Write(token(header))
		conn.Close()
	}
	return fmt.Sprintf("connections=%d", count), nil
}

func isClosed(err error) bool {
	return err != nil && (errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.ECONNRESET) || strings.Contains(err.Error(), "reset"))
}
