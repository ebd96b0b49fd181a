// SPDX-License-Identifier: MIT

package main

import (
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// found says whom multicast DNS tells of.
type found struct{}

func (found) HandlePeerFound(info peer.AddrInfo) {
	say("discovered peer=%s addresses=%s", info.ID, join(info.Addrs))
}

// discover looks for others on the local network, and lets itself be found there.
func (n *node) discover() error {
	n.mdns = mdns.NewMdnsService(n.host, "", found{})
	return n.mdns.Start()
}
