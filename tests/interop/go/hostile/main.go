// SPDX-License-Identifier: MIT

// A peer that means no good: it is told by lines which attack to make on which address, and says
// how it was ended. See tests/interop/README.md for the lines.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	prefix   = "/troupe/interop"
	patience = 40 * time.Second
)

// target is who is attacked, and what else the command says.
type target struct {
	info    peer.AddrInfo
	network string // as net.Dial wants them
	address string
	args    []string
}

func (t target) number(i, otherwise int) int {
	if i < len(t.args) {
		if n, err := strconv.Atoi(t.args[i]); err == nil {
			return n
		}
	}
	return otherwise
}

func (t target) word(i int) string {
	if i < len(t.args) {
		return t.args[i]
	}
	return ""
}

// attack gives what became of it.
type attack func(context.Context, target) (string, error)

func parse(address string, args []string) (target, error) {
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return target{}, err
	}
	network, host, err := manet.DialArgs(info.Addrs[0])
	return target{info: *info, network: network, address: host, args: args}, err
}

var out = make(chan string, 1024)

func say(format string, values ...any) { out <- fmt.Sprintf(format, values...) + "\n" }

func do(words []string) (string, error) {
	all := map[string]attack{}
	for _, some := range []map[string]attack{wireAttacks, handshakeAttacks, yamuxAttacks,
		protocolAttacks, kadAttacks} {
		for name, one := range some {
			all[name] = one
		}
	}
	one, known := all[words[1]]
	if !known {
		return "", fmt.Errorf("no such attack: %s", words[1])
	}
	t, err := parse(words[2], words[3:])
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return one(ctx, t)
}

func main() {
	go func() {
		for line := range out {
			os.Stdout.WriteString(line)
		}
	}()
	say("listening address=/p2p/nobody")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 3 {
			continue
		}
		go func() {
			answer, err := do(words)
			if err != nil {
				say("failed id=%s why=%s", words[0], strings.Join(strings.Fields(err.Error()), "_"))
			} else {
				say("done id=%s %s", words[0], answer)
			}
		}()
	}
}
