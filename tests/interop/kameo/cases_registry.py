# SPDX-License-Identifier: MIT
"""Names on one DHT of three Kameo nodes and three of ours."""
from driver import NotApplicable, expect, until
from pairs import OTHER_KIND

KINDS = ("rust", "c")
EACH = 3
VANISH_SECONDS = 10


class Network:
    """Every Kameo node dials every other node, for it cannot dial what it learns of; ours know
    one of each kind."""

    def __init__(self, programs):
        self.programs = programs
        self.nodes = {}
        self.addresses = addresses = {}
        for kind in KINDS:
            for index in range(EACH):
                name = f"{kind}{index}"
                options = ["idle=300000"] if kind == "rust" else []
                self.nodes[name] = programs.start(kind, f"network-{name}", *options)
                addresses[name] = self.nodes[name].listen()
        for name, node in self.of("rust"):
            for other, address in addresses.items():
                if other != name:
                    node.ok(f"dial {address}")
        for name, node in self.of("c"):
            for other in ("rust0", "c0"):
                if other != name:
                    node.ok(f"bootstrap {addresses[other]}")
        for _, node in self.of("c"):
            for other in ("rust0", "c0"):
                if self.nodes[other] is not node:
                    node.event("connected", peer=self.nodes[other].peer)
            node.traced("kad_bootstrapped")

    def of(self, kind):
        return [(name, node) for name, node in self.nodes.items() if node.kind == kind]

    def spawn(self, owner, name, what="probe"):
        """Gives the id of a new actor, registered under a name; its alias is the name."""
        actor = self.nodes[owner].ok(f"spawn {what} {name}")
        self.nodes[owner].ok(f"register {name} {name}")
        return actor

    def find(self, node, name, all_of_them=False, what="probe"):
        """Gives the ids found. That there is none is an error of ours, which says whether nobody
        has the name or who has it does not answer; Kameo just gives none."""
        verb = "lookup_all" if all_of_them else "lookup"
        answer = self.nodes[node].finish(self.nodes[node].begin(f"{verb} {what} {name}"))
        if self.nodes[node].kind == "c" and answer.get("error") in ("ENOTFOUND", "EUNREACHABLE"):
            return []
        expect("ok" in answer, f"{node}: {verb} {name}: {answer}")
        return answer["ok"]

    def ask(self, node, actor):
        """Asks what was found, as an actor would."""
        slept = self.nodes[node].ok(f"ask probe {actor} nap 1")
        expect(slept == 1, f"{slept}")


def looked_up(network, owner, seeker):
    """A name held by one node is found and asked from another."""
    name = f"{owner}-by-{seeker}"
    actor = network.spawn(owner, name)
    found = network.find(seeker, name)
    expect(found == [actor], f"found {found}, not {actor}")
    network.ask(seeker, actor)


def held_by_all(network):
    return {network.spawn(name, "everybody") for name in network.nodes}


def looked_up_all(network, holders, seeker):
    found = network.find(seeker, "everybody", all_of_them=True)
    expect(len(found) == len(set(found)), f"found twice: {found}")
    expect(set(found) == holders, f"found {len(found)} of {len(holders)}: {found}")


def looked_up_one_of_all(network, holders, seeker):
    found = network.find(seeker, "everybody")
    expect(len(found) == 1 and found[0] in holders, f"found {found}")


def nobody(network, seeker):
    expect(network.find(seeker, f"nobody-{seeker}") == [], "found somebody")


def known_from_dht(network, kind, seeker):
    """A node that only one other is connected with: its address comes with the answer. Kameo cannot
    dial what it learns so; we can."""
    name = f"stranger-{kind}"
    options = ["idle=300000"] if kind == "rust" else []
    stranger = network.programs.start(kind, f"network-{name}", *options)
    address = stranger.listen()
    network.nodes[f"{kind}0"].ok(f"dial {address}")
    join = "dial" if kind == "rust" else "bootstrap"
    stranger.ok(f"{join} {network.addresses[f'{kind}0']}")
    if kind == "c":
        stranger.traced("kad_bootstrapped")
    actor = stranger.ok(f"spawn probe {name}")
    stranger.ok(f"register {name} {name}")
    expect(network.find(seeker, name) == [actor], "not found")
    network.ask(seeker, actor)


def looked_up_locally(network, owner, stranger):
    name = f"local-{owner}"
    actor = network.spawn(owner, name)
    local = network.nodes[owner].ok(f"lookup_local probe {name}")
    expect(local in (actor, [actor]), f"{local}")
    node = network.nodes[stranger]
    answer = node.finish(node.begin(f"lookup_local probe {name}"))
    expect(answer.get("ok", []) in (None, []) and answer.get("error", "ENOTFOUND") == "ENOTFOUND",
           f"{answer}")


def other_type(network, owner, seeker):
    """Kameo's lookup names the type of actor that it wants."""
    name = f"other-{owner}-{seeker}"
    actor = network.nodes[owner].ok(f"spawn other {name}")
    network.nodes[owner].ok(f"register {name} {name}")
    expect(network.find(seeker, name, what="other") == [actor], "not found as what it is")
    if seeker.startswith("rust"):
        answer = network.nodes[seeker].error(f"lookup probe {name}", "RegistryError")
        expect("bad actor type" in answer["text"], f"{answer}")
    else:  # a lookup of ours says of which type what it found is
        network.nodes[seeker].error(f"lookup probe {name}", "BadActorType")


def by_actors(network, kind):
    """Our actors register, look up and withdraw themselves, with nodes of one kind on the other end."""
    node, other = network.nodes["c1"], f"{kind}2"
    name = f"actor-{kind}"
    alias = f"{name}-1"
    actor = node.ok(f"spawn probe {alias}")
    theirs = network.spawn(other, f"{name}-2")
    node.ok(f"by {alias} register {name}")
    expect(network.find(other, name) == [actor], "not found")
    node.error(f"by {alias} lookup_local probe {name}-2", "ENOTFOUND")
    for verb, wanted, found in (("lookup", f"{name}-2", theirs), ("lookup_all", f"{name}-2", theirs),
                                ("lookup_local", name, actor)):
        answer = node.ok(f"by {alias} {verb} probe {wanted}")
        expect(answer == [found], f"{verb} {wanted}: {answer}")
    node.ok(f"by {alias} unregister {name}")
    gone(network, other, name, actor)


def gone(network, seeker, name, actor):
    """Waits for a name to vanish where that is promised: what a node of ours held or looks for."""
    until(lambda: network.find(seeker, name) == [], VANISH_SECONDS, f"{seeker} still finds {actor}")


def unregistered(network, owner, seeker):
    name = f"unregistered-{owner}-{seeker}"
    actor = network.spawn(owner, name)
    expect(network.find(seeker, name) == [actor], "not found before")
    network.nodes[owner].ok(f"unregister {name}")
    expect(network.find(owner, name) == [], "its own node still finds it")
    gone(network, seeker, name, actor)
    network.ask(seeker, actor)  # the actor itself goes on


def stopped(network, owner, seeker):
    name = f"stopped-{owner}-{seeker}"
    actor = network.spawn(owner, name)
    expect(network.find(seeker, name) == [actor], "not found before")
    network.nodes[owner].ok(f"stop {name}")
    network.nodes[owner].event("stopped", actor=name)
    if owner.startswith("rust") and network.programs.version < (0, 19):
        network.nodes[seeker].error(f"ask probe {actor} nap 0", "ActorNotRunning")
        raise NotApplicable("its node keeps the name of a stopped actor, and vouches for it")
    gone(network, seeker, name, actor)


def taken_over(network, owner, seeker):
    """A name that was given up is free for another actor of the same node."""
    name = f"again-{owner}-{seeker}"
    network.spawn(owner, name)
    network.nodes[owner].ok(f"unregister {name}")
    second = network.nodes[owner].ok(f"spawn probe {name}-2")
    network.nodes[owner].ok(f"register {name}-2 {name}")
    expect(network.find(seeker, name) == [second], "the second is not found")


def killed(network, owner, seekers):
    """kill -9 of a node: what it held is found no more by our nodes, and no ask hangs."""
    name = f"killed-{owner}"
    actor = network.spawn(owner, name)
    for seeker in seekers:
        expect(network.find(seeker, name) == [actor], "not found before")
    network.nodes[owner].kill()
    for seeker in seekers:
        node = network.nodes[seeker]
        answer = node.finish(node.begin(f"ask probe {actor} nap 0"))
        expect("error" in answer, f"{seeker} got an answer of the dead: {answer}")
        if node.kind == "c":
            gone(network, seeker, name, actor)


def run(programs, report):
    network = Network(programs)
    for owner in ("rust1", "c1"):
        for seeker in network.nodes:
            report.run(f"{seeker} looks up a name of {owner} and asks", looked_up, network, owner,
                       seeker)
    for kind in KINDS:
        report.run(f"c asks an actor of {kind} that it knows from the DHT alone", known_from_dht,
                   network, kind, "c2", decided="D-018")
        report.run(f"actors of c register and look up with {kind}", by_actors, network, kind)
        report.run(f"{kind} looks up a name locally", looked_up_locally, network, f"{kind}1",
                   f"{kind}2")
        report.run(f"{kind} looks up what nobody holds", nobody, network, f"{kind}2")
        report.run(f"{kind} looks up an actor of {OTHER_KIND[kind]} by type", other_type, network,
                   f"{OTHER_KIND[kind]}1", f"{kind}2")
    holders = held_by_all(network)
    for seeker in network.nodes:
        report.run(f"{seeker} looks up all six holders of a name", looked_up_all, network, holders,
                   seeker)
        report.run(f"{seeker} looks up one of six holders", looked_up_one_of_all, network, holders,
                   seeker)
    # Between Kameo's own nodes a name is found for an hour after it was given up.
    for owner, seeker in (("rust1", "c2"), ("c1", "c2"), ("c1", "rust2")):
        report.run(f"{seeker} after {owner} unregistered", unregistered, network, owner, seeker,
                   decided="D-004")
        report.run(f"{seeker} after the actor of {owner} stopped", stopped, network, owner, seeker,
                   decided="D-004")
        report.run(f"{seeker} after {owner} gave a name to another", taken_over, network, owner,
                   seeker)
    for owner in ("rust2", "c2"):
        report.run(f"kill -9 of {owner}", killed, network, owner, ["rust0", "c0", "c1"],
                   decided="D-004")
