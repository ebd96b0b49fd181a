# SPDX-License-Identifier: MIT
"""Troupe nodes and foreign peers on a local network of namespaces: multicast DNS, and nothing else, tells
them of each other. rust-libp2p is there as part of Kameo, see kameo/cases_mdns.py."""
import os
import subprocess

from driver import Peer, expect
from kinds import sober

NETNS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib", "netns")
ANYWHERE = "/ip4/0.0.0.0/tcp/0"
ANYWHERE_6 = "/ip6/::/tcp/0"
FOREIGN = ("go", "js")


class Lan:
    """Hosts on one bridge; ours are `troupe node` as it is by default."""

    def __init__(self, suite, kinds, name, hosts):
        self.suite = suite
        self.kinds = kinds
        self.name = f"{os.getpid()}-{name}"
        subprocess.run([NETNS, "make", self.name, str(hosts)], check=True)

    def on(self, host):
        return [NETNS, "exec", self.name, str(host)]

    def ours(self, host, listen=ANYWHERE):
        return self.suite.start(Peer("node", [*self.on(host), self.kinds.troupe, "node", "--trace",
                                              "--listen", listen], env=sober()))

    def foreign(self, host, kind, listen=ANYWHERE):
        return self.suite.start(Peer(kind, [*self.on(host), *self.kinds.programs[kind], "--mdns",
                                            "--listen", listen]))

    def remove(self):
        self.suite.stop_peers()
        subprocess.run([NETNS, "remove", self.name], check=True)


def missing(kinds):
    """Why this cannot run here, or None."""
    able = subprocess.run([NETNS, "available"], stdout=subprocess.PIPE, text=True, check=False)
    if able.returncode != 0:
        return able.stdout.strip()
    lacks = [why for why in map(kinds.missing, FOREIGN) if why]
    return "; ".join(lacks) or None


def address_on(peer, host, what="ip4"):
    """Where a peer must have been found: by the port it listens on, at its host's address."""
    port = peer.address.split("/tcp/")[1].split("/")[0]
    ip = f"10.77.0.{host + 1}" if what == "ip4" else f"fd77::{host + 1}"
    return f"/{what}/{ip}/tcp/{port}"


def is_found(finder, peer, address, after=0):
    """Waits until a foreign peer tells of ours, with its address and none that leads elsewhere."""
    fields = finder.wait("discovered", after=after, peer=peer.id,
                         check=lambda got: address in got["addresses"].split(","))
    expect("127.0.0.1" not in fields["addresses"], f"it was told {fields['addresses']}")


def both_ways(suite, lan, kind, ours, theirs, what="ip4"):
    name = f"{kind}, {'IPv4' if what == 'ip4' else 'IPv6'}"
    suite.case(f"{name}: it hears of our node",
               lambda: is_found(theirs, ours, address_on(ours, 0, what)))
    suite.case(f"{name}: our node hears of it",
               lambda: ours.wait("trace:mdns_discovered", peer=theirs.id,
                                 address=address_on(theirs, 1, what)) and None)
    suite.case(f"{name}: our node dials it and they know each other",
               lambda: ours.wait("trace:identified", peer=theirs.id) and
               theirs.wait("identified", peer=ours.id) and None)
    suite.case(f"{name}: it dials our node and is answered",
               lambda: theirs.ask("dial", f"{address_on(ours, 0, what)}/p2p/{ours.id}") and
               theirs.ask("ping", ours.id)["rtt_us"] and None)


def goes_and_comes(suite, lan, kind, ours, theirs):
    """Our node is another one afterwards."""
    mark = theirs.mark()
    ours.stop()
    suite.peers.remove(ours)
    again = lan.ours(0)
    suite.case(f"{kind}: it hears of the node that came in the place of ours",
               lambda: is_found(theirs, again, address_on(again, 0), mark))
    suite.case(f"{kind}: and that node of it",
               lambda: again.wait("trace:mdns_discovered", peer=theirs.id) and None)
    return again


def pair(suite, kinds, kind):
    lan = Lan(suite, kinds, kind, 2)
    try:
        ours, theirs = lan.ours(0), lan.foreign(1, kind)
        both_ways(suite, lan, kind, ours, theirs)
        ours = goes_and_comes(suite, lan, kind, ours, theirs)
        if kind == "go": # the only one that says goodbye
            theirs.stop()
            suite.case(f"{kind}: our node hears its goodbye", lambda: ours.wait(
                "trace:mdns_expired", peer=theirs.id) and None)
    finally:
        lan.remove()


def ip6_alone(suite, kinds):
    """js-libp2p looks at IPv4 only."""
    lan = Lan(suite, kinds, "six", 2)
    try:
        for host in (0, 1):
            subprocess.run([*lan.on(host), "ip", "-4", "address", "flush", "dev", "lan0"], check=True)
        both_ways(suite, lan, "go", lan.ours(0, ANYWHERE_6), lan.foreign(1, "go", ANYWHERE_6), "ip6")
    finally:
        lan.remove()


def run(suite, kinds):
    for kind in FOREIGN:
        suite.group(pair, kinds, kind)
    suite.group(ip6_alone, kinds)
