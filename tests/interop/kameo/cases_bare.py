# SPDX-License-Identifier: MIT
"""A program of ours that composes its own swarm, without actors, opposite a Kameo node."""
from driver import expect, until
from pairs import serial

VANISH_SECONDS = 10


class Opposite:
    """The two nodes, connected, with a probe on Kameo's and what passes for one on ours."""

    def __init__(self, programs):
        self.rust = programs.start("rust", "bare-rust", "idle=300000")
        self.bare = programs.start("bare", "bare-c")
        self.bare.listen()
        self.bare.ok(f"dial {self.rust.listen()}")
        for node, other in ((self.rust, self.bare), (self.bare, self.rust)):
            node.event("connected", peer=other.peer)
        self.probe = self.rust.ok("spawn probe boss")
        self.bare.ok("register bare")
        found = self.bare.ok("lookup probe bare")
        expect(len(found) == 1, f"it does not find itself: {found}")
        self.own = found[0]

    def spawn(self):
        alias = f"bare{next(serial)}"
        return alias, self.rust.ok(f"spawn probe {alias}")


def names(scene):
    alias, actor = scene.spawn()
    scene.rust.ok(f"register {alias} {alias}")
    expect(scene.bare.ok(f"lookup probe {alias}") == [actor], "rust's actor is not found")
    scene.bare.error(f"lookup other {alias}", "EBADTYPE")
    scene.bare.error("lookup probe nobody", "ENOTFOUND")
    expect(scene.bare.said("routing"), "nothing was heard of the routing table")


def found_by_rust(scene):
    scene.bare.ok("register found")
    expect(scene.rust.ok("lookup probe found") == [scene.own], "ours is not found")
    scene.bare.ok("unregister found")
    until(lambda: scene.rust.ok("lookup probe found") == [], VANISH_SECONDS, "it is still found")


def rust_asks(scene):
    slept = scene.rust.ok(f"ask probe {scene.own} nap 5")
    expect(slept == 5, f"{slept}")
    scene.bare.event("response_sent")
    scene.rust.ok(f"tell_ack probe {scene.own} note told")
    scene.bare.event("told", text="told")
    scene.rust.error(f"ask stranger {scene.own} juggle", "UnknownMessage")
    scene.rust.error(f"ask stranger {scene.own} nap", "DeserializeMessage")


def rust_is_asked(scene):
    slept = scene.bare.ok(f"ask probe {scene.probe} nap 5")
    expect(slept == 5, f"{slept}")
    scene.bare.ok(f"tell_ack probe {scene.probe} note bare")
    scene.rust.event("note", actor="boss", text="bare")
    scene.bare.error(f"ask stranger {scene.probe} juggle", "UnknownMessage")
    scene.bare.error(f"ask other {scene.probe} nap 0", "BadActorType")


def dropped(scene):
    """We refuse to answer: the asker hears of a broken stream, we of an answer that went nowhere."""
    scene.rust.error(f"ask probe {scene.own} swallow 1", "Io")
    scene.bare.event("inbound_failure", why="ECANCELLED")


def rust_links(scene):
    alias, actor = scene.spawn()
    for verb in ("link", "unlink", "link"):
        scene.rust.ok(f"{verb} {alias} probe {scene.own}")
        scene.bare.event(f"{verb}ed", of=actor)
    scene.rust.ok(f"kill {alias}")
    scene.bare.event("link_died", of=actor, reason="Killed")


def links_rust(scene):
    linked, unlinked = scene.spawn(), scene.spawn()
    for _, actor in (linked, unlinked):
        scene.bare.ok(f"link probe {actor}")
    scene.bare.ok(f"unlink probe {unlinked[1]}")
    for alias, _ in (unlinked, linked):
        scene.rust.ok(f"kill {alias}")
    scene.bare.event("link_died", of=linked[1], reason="Killed")
    expect(not scene.bare.said("link_died", of=unlinked[1]), "an unlinked death was told")


def dies(scene):
    alias, actor = scene.spawn()
    scene.bare.ok(f"link probe {actor}")
    scene.bare.ok(f"die probe {actor}")
    scene.rust.event("link_died", actor=alias, of=scene.own, reason="Killed")


def cancelled(scene):
    """What is cancelled has no outcome, and nothing of it is left."""
    alias, actor = scene.spawn()
    asked, _ = scene.bare.begin(f"ask probe {actor} nap 300")
    scene.rust.event("napping", actor=alias)
    scene.bare.ok(f"cancel {asked}")
    searched, _ = scene.bare.begin("lookup probe nobody-at-all")
    scene.bare.ok(f"cancel {searched}")
    announced, _ = scene.bare.begin("register withdrawn")
    scene.bare.ok("withdraw")
    until(lambda: scene.rust.ok("lookup probe withdrawn") == [], VANISH_SECONDS, "it is found")
    expect(scene.bare.ok(f"ask probe {actor} nap 1") == 1, "the next ask is not answered")
    answered = {asked, searched} & set(scene.bare.answers)
    expect(not answered, f"{answered} had outcomes")
    scene.bare.answers.pop(announced, None)  # it may have been made before


CASES = {
    "looks up rust's names": names,
    "is looked up by rust": found_by_rust,
    "is asked and told by rust": rust_asks,
    "asks and tells rust": rust_is_asked,
    "drops an ask of rust's": dropped,
    "is linked by rust": rust_links,
    "links rust": links_rust,
    "tells rust of a death": dies,
    "cancels what it began": cancelled,
}


def run(programs, report):
    scene = Opposite(programs)
    for name, case in CASES.items():
        report.run(f"a node without actors {name}", case, scene)
