# SPDX-License-Identifier: MIT
"""One node of each kind, connected, with a probe on each."""
import itertools

OTHER_KIND = {"rust": "c", "c": "rust"}
DIRECTIONS = (("rust", "c"), ("c", "rust"))
serial = itertools.count(1)


class Pair:
    """Nodes by kind; `dialer` is who dials the other."""

    def __init__(self, programs, name, dialer="c", options=None, only_each_other=False):
        options = options or {"rust": ["idle=300000"], "c": []}
        self.programs = programs
        self.name = name
        self.nodes = {"rust": programs.start("rust", f"{name}-rust", *options["rust"])}
        allowed = [f"allow={self.nodes['rust'].peer}"] if only_each_other else []
        self.nodes["c"] = programs.start("c", f"{name}-c", *options["c"], *allowed)
        self.addresses = {kind: node.listen() for kind, node in self.nodes.items()}
        self.nodes[dialer].ok(f"dial {self.addresses[OTHER_KIND[dialer]]}")
        for kind, node in self.nodes.items():
            node.event("connected", peer=self.nodes[OTHER_KIND[kind]].peer)
        self.probes = {kind: node.ok("spawn probe boss") for kind, node in self.nodes.items()}

    def spawn(self, kind, what="probe", capacity=""):
        """Gives alias and id of a new actor."""
        alias = f"{what}{next(serial)}"
        return alias, self.nodes[kind].ok(f"spawn {what} {alias} {capacity}".rstrip())

    def ask(self, asker, words):
        """The line by which a node of this kind asks from inside an actor."""
        return f"ask {words}" if asker == "rust" else f"by boss ask {words}"
