// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// redis sends one command and reads one answer; an array gives its last text.
func redis(ctx context.Context, words ...string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", os.Getenv("redis_addr"))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	request := fmt.Sprintf("*%d\r\n", len(words))
	for _, word := range words {
		request += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		return "", err
	}
	return redisAnswer(bufio.NewReader(conn))
}

func redisAnswer(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	size, _ := strconv.Atoi(line[1:])
	switch {
	case line[0] == '$' && size >= 0:
		text := make([]byte, size+2)
		_, err := io.ReadFull(in, text)
		return string(text[:size]), err
	case line[0] == '*' && size > 0:
		var last string
		for range size {
			if last, err = redisAnswer(in); err != nil {
				return "", err
			}
		}
		return last, nil
	case line[0] == ':' || line[0] == '+':
		return line[1:], nil
	}
	return "", fmt.Errorf("redis says %s", line)
}

// transportTest does what libp2p's transport interoperability suite asks of a program, over TCP
// with Noise and yamux.
func transportTest() error {
	seconds, err := strconv.Atoi(os.Getenv("test_timeout_seconds"))
	if err != nil {
		seconds = 180
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer cancel()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/"+os.Getenv("ip")+"/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport), libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport), libp2p.DisableRelay())
	if err != nil {
		return err
	}
	defer h.Close()
	if os.Getenv("is_dialer") != "true" {
		address := fmt.Sprintf("%s/p2p/%s", h.Addrs()[0], h.ID())
		if _, err := redis(ctx, "RPUSH", "listenerAddr", address); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	address, err := redis(ctx, "BLPOP", "listenerAddr", strconv.Itoa(seconds))
	if err != nil {
		return err
	}
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := h.Connect(ctx, *info); err != nil {
		return err
	}
	result := <-ping.Ping(ctx, h, info.ID)
	if result.Error != nil {
		return result.Error
	}
	handshake := time.Since(began)
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"handshakePlusOneRTTMillis": float64(handshake.Microseconds()) / 1000,
		"pingRTTMilllis":            float64(result.RTT.Microseconds()) / 1000,
	})
}
