# SPDX-License-Identifier: MIT
"""Both kinds of node as their own bootstrap() makes them, on a local network that the test makes of
network namespaces: nobody is told an address."""
import os
import subprocess

from driver import expect
from pairs import DIRECTIONS

NETNS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "netns")
ANYWHERE = "/ip4/0.0.0.0/tcp/0"
EACH = 2


class Lan:
    """So many nodes of each kind, each on a host of its own, or all on one."""

    def __init__(self, programs, name, each, on_one_host=False):
        self.lan = f"{os.getpid()}-{name}"
        subprocess.run([NETNS, "make", self.lan, str(1 if on_one_host else 2 * each)], check=True)
        self.nodes = {}
        for index in range(2 * each):
            kind = "rust" if index % 2 == 0 else "c"
            alias = f"{kind}{index // 2}"
            self.nodes[alias] = programs.start(
                kind, f"mdns-{name}-{alias}", f"bootstrap={ANYWHERE}",
                prefix=(NETNS, "exec", self.lan, str(0 if on_one_host else index)))
        self.actors = {}

    def find_each_other(self):
        """Each of ours is connected with every other node, and has it in its routing table."""
        for name, node in self.nodes.items():
            if node.kind != "c":
                continue
            for other, peer in self.nodes.items():
                if other != name:
                    node.event("connected", peer=peer.peer)
                    node.traced("kad_peer_added", peer.peer)

    def register(self):
        for name, node in self.nodes.items():
            self.actors[name] = node.ok(f"spawn probe {name}")
            node.ok(f"register {name} {name}")

    def remove(self):
        for node in self.nodes.values():
            node.end()
        subprocess.run([NETNS, "remove", self.lan], check=True)


def finds(lan, seeker, owner):
    node = lan.nodes[seeker]
    found = node.ok(f"lookup probe {owner}")
    found = found if isinstance(found, list) else [found]
    expect(found == [lan.actors[owner]], f"{seeker} found {found}")
    node.ok(f"ask probe {lan.actors[owner]} nap 1")


def one_machine(programs, report):
    """Two programs on a developer's machine."""
    lan = Lan(programs, "machine", 1, on_one_host=True)
    try:
        report.run("by mDNS alone, on one machine, ours is connected with Kameo's",
                   lan.find_each_other)
        report.run("by mDNS alone, on one machine, both register", lan.register)
        for seeker, owner in DIRECTIONS:
            report.run(f"by mDNS alone, on one machine, {seeker} finds and asks {owner}", finds, lan,
                       f"{seeker}0", f"{owner}0")
    finally:
        lan.remove()


def many_hosts(programs, report):
    lan = Lan(programs, "kameo", EACH)
    try:
        report.run("by mDNS alone, each node of ours is connected with every node",
                   lan.find_each_other)
        report.run("by mDNS alone, every node registers", lan.register)
        for seeker, owner in DIRECTIONS:
            pairs = [(f"{seeker}{index}", f"{owner}{EACH - 1 - index}") for index in range(EACH)]
            for one, other in [*pairs, (f"{seeker}0", f"{seeker}1")]:
                report.run(f"by mDNS alone, {one} finds and asks {other}", finds, lan, one, other)
    finally:
        lan.remove()


def run(programs, report):
    available = subprocess.run([NETNS, "available"], stdout=subprocess.PIPE, text=True, check=False)
    if available.returncode != 0:
        report.skip("discovery by mDNS alone", available.stdout.strip())
        return
    many_hosts(programs, report)
    one_machine(programs, report)
