# SPDX-License-Identifier: MIT
"""Links between actors of the two kinds: who hears of which death, and who does not."""
from driver import expect
from pairs import DIRECTIONS, OTHER_KIND, Pair, serial


class Linked:
    """Two linked actors; `linker` is the kind of node that made the link."""

    def __init__(self, pair, linker, frail=None):
        self.pair = pair
        kinds = {kind: "frail" if kind == frail else "probe" for kind in pair.nodes}
        self.actors = {kind: pair.spawn(kind, kinds[kind]) for kind in pair.nodes}
        self.link("link", linker)

    def link(self, verb, linker):
        alias, _ = self.actors[linker]
        _, other = self.actors[OTHER_KIND[linker]]
        prefix = "by " if linker == "c" else ""
        words = [alias, verb] if linker == "c" else [verb, alias]
        self.pair.nodes[linker].ok(f"{prefix}{' '.join(words)} probe {other}")
        if linker == "c":
            self.settle(linker)

    def settle(self, linker):
        """Our link is made when the call returns, the other side's when its answer is here."""
        self.pair.nodes[linker].traced("link_made")
        self.pair.nodes[linker].ok(self.pair.ask(linker, f"probe {self.pair.probes['rust']} nap 0"))

    def die(self, kind, reason):
        node, (alias, actor) = self.pair.nodes[kind], self.actors[kind]
        if reason == "Normal":
            node.ok(f"stop {alias}")
        elif reason == "Killed":
            node.ok(f"kill {alias}")
        elif reason == "Panicked":
            asker = OTHER_KIND[kind]
            self.pair.nodes[asker].ok(f"tell_ack probe {actor} panic")
        else:
            self.doomed = self.die_of_link(kind, alias)
        node.event("stopped", actor=alias, reason=reason)

    def die_of_link(self, kind, alias):
        """Another actor of the same node dies, and this one of it; gives the other's id."""
        node = self.pair.nodes[kind]
        doomed, doomed_id = self.pair.spawn(kind)
        node.ok(f"link_local {alias} {doomed}" if kind == "rust"
                else f"by {alias} link probe {doomed_id[:16]}")
        node.ok(f"kill {doomed}")
        return doomed_id

    def heard(self, kind, reason):
        """What the survivor is told."""
        alias, _ = self.actors[kind]
        _, other = self.actors[OTHER_KIND[kind]]
        return self.pair.nodes[kind].event("link_died", actor=alias, of=other, reason=reason)


def death(pair, linker, deceased, reason):
    linked = Linked(pair, linker, frail=deceased if reason == "LinkDied" else None)
    linked.die(deceased, reason)
    heard = linked.heard(OTHER_KIND[deceased], reason)
    detail = heard["detail"]
    if reason == "Panicked":
        expect({"rust": "boom", "c": "EHANDLER"}[deceased] in detail["text"], f"{heard}")
    elif reason == "LinkDied":
        expect(detail["through"] == linked.doomed and detail["root"] == "Killed", f"{heard}")


def survivor_stops(pair, linker, deceased):
    """Without a hook that says otherwise an actor dies of its link."""
    survivor = OTHER_KIND[deceased]
    linked = Linked(pair, linker, frail=survivor)
    linked.die(deceased, "Killed")
    linked.heard(survivor, "Killed")
    pair.nodes[survivor].event("stopped", actor=linked.actors[survivor][0], reason="LinkDied")


def unlink(pair, linker, deceased):
    """The death of another pair comes after, and is heard; this one is not."""
    survivor = OTHER_KIND[deceased]
    linked, after = Linked(pair, linker), Linked(pair, linker)
    linked.link("unlink", linker)
    linked.die(deceased, "Killed")
    after.die(deceased, "Killed")
    after.heard(survivor, "Killed")
    alias, _ = linked.actors[survivor]
    expect(not pair.nodes[survivor].said("link_died", actor=alias), "an unlinked death was told")


def dead_actor(pair, linker):
    """Linking with an actor that is gone."""
    other = OTHER_KIND[linker]
    alias, _ = pair.spawn(linker)
    gone, gone_id = pair.spawn(other)
    pair.nodes[other].ok(f"kill {gone}")
    pair.nodes[other].event("stopped", actor=gone)
    if linker == "rust":
        pair.nodes["rust"].error(f"link {alias} probe {gone_id}", "ActorNotRunning")
    else:
        pair.nodes["c"].ok(f"by {alias} link probe {gone_id}")
        pair.nodes["c"].event("link_died", actor=alias, of=gone_id, reason="Killed")


def unknown_actor(pair, linker):
    other = OTHER_KIND[linker]
    alias, _ = pair.spawn(linker)
    if linker == "rust":
        gone, gone_id = pair.spawn(other)
        pair.nodes[other].ok(f"kill {gone}")
        pair.nodes[other].event("stopped", actor=gone)
        for target in (pair.probes[other], gone_id):
            pair.nodes["rust"].error(f"link {alias} phantom {target}", "UnknownActor")
        pair.nodes["rust"].error(f"link {alias} other {gone_id}", "ActorNotRunning")
    else:
        pair.nodes["c"].ok(f"by {alias} link phantom {pair.probes[other]}")
        pair.nodes["c"].event("link_died", actor=alias, of=pair.probes[other], reason="Killed")


def peer_killed(programs, linker, killed):
    """kill -9 of a process: the other side has no goodbye to go by."""
    pair = Pair(programs, f"killed-{linker}-{killed}")
    survivor = OTHER_KIND[killed]
    linked = Linked(pair, linker, frail=survivor)
    pair.nodes[killed].kill()
    linked.heard(survivor, "PeerDisconnected")
    alias, _ = linked.actors[survivor]
    pair.nodes[survivor].event("stopped", actor=alias, reason="PeerDisconnected")


def other_type(pair, linker):
    """An actor that is not what the linker takes it for."""
    other = OTHER_KIND[linker]
    alias, _ = pair.spawn(linker)
    if linker == "rust":
        pair.nodes["rust"].error(f"link {alias} other {pair.probes[other]}", "BadActorType")
    else:
        pair.nodes["c"].ok(f"by {alias} link other {pair.probes[other]}")
        pair.nodes["c"].event("link_died", actor=alias, of=pair.probes[other], reason="Killed")


def peer_leaves(programs, linker, leaver):
    """A node ends as a program does that is told to: ours says goodbye, Kameo's process just ends, and
    its actor may or may not come to say that it ended, too."""
    pair = Pair(programs, f"leaves-{linker}-{leaver}")
    survivor = OTHER_KIND[leaver]
    linked = Linked(pair, linker)
    alias, other = linked.actors[survivor][0], linked.actors[leaver][1]
    if leaver == "c":
        pair.nodes["c"].ok("leave")
        linked.heard("rust", "PeerDisconnected")
    else:
        pair.nodes["rust"].end()
        heard = pair.nodes["c"].event("link_died", actor=alias, of=other)
        expect(heard["reason"] in ("Normal", "PeerDisconnected"), f"{heard}")
    pair.nodes[survivor].ok(f"kill {alias}")
    pair.nodes[survivor].event("stopped", actor=alias)
    expect(not pair.nodes[survivor].said("link_died", actor=alias), "the end was told twice")


def peer_hangs_up(programs, linker, who):
    """A connection ends and both nodes live. Kameo's actor is told that the peer is gone; ours carries
    on, the peer is dialed again and asked for the link, and the next death is heard."""
    pair = Pair(programs, f"hangs-up-{linker}-{who}")
    linked = Linked(pair, linker)
    pair.nodes[who].ok(f"hang_up {pair.nodes[OTHER_KIND[who]].peer}")
    linked.heard("rust", "PeerDisconnected")
    pair.nodes["c"].event("connected", peer=pair.nodes["rust"].peer)
    pair.nodes["c"].ok(pair.ask("c", f"probe {pair.probes['rust']} nap 1"))
    expect(not pair.nodes["c"].said("link_died"), "a closed connection was taken for a death")
    linked.die("c", "Killed")
    linked.heard("rust", "Killed")


class Trio(Pair):
    """A third node knows both of a pair."""

    def __init__(self, programs, third):
        name = f"trio{next(serial)}"
        super().__init__(programs, name)
        options = ["idle=300000"] if third == "rust" else []
        self.third = programs.start(third, f"{name}-third-{third}", *options)
        self.third.listen()
        for address in self.addresses.values():
            self.third.ok(f"dial {address}")


def third_links(trio, deceased):
    """A node links an actor of each of two others: they hear of each other from then on."""
    linked = {kind: trio.spawn(kind) for kind in trio.nodes}
    trio.third.ok(f"link_others {linked['rust'][1]} {linked['c'][1]}")
    survivor = OTHER_KIND[deceased]
    trio.nodes[deceased].ok(f"kill {linked[deceased][0]}")
    trio.nodes[survivor].event("link_died", actor=linked[survivor][0], of=linked[deceased][1],
                               reason="Killed")


def third_unlinks(trio, deceased):
    """The same node takes the link away: the death of another pair is heard, this one is not."""
    linked, after = ({kind: trio.spawn(kind) for kind in trio.nodes} for _ in range(2))
    for two in (linked, after):
        trio.third.ok(f"link_others {two['rust'][1]} {two['c'][1]}")
    trio.third.ok(f"unlink_others {linked['rust'][1]} {linked['c'][1]}")
    survivor = OTHER_KIND[deceased]
    for two in (linked, after):
        trio.nodes[deceased].ok(f"kill {two[deceased][0]}")
        trio.nodes[deceased].event("stopped", actor=two[deceased][0])
    trio.nodes[survivor].event("link_died", actor=after[survivor][0], of=after[deceased][1])
    expect(not trio.nodes[survivor].said("link_died", actor=linked[survivor][0]),
           "an unlinked death was told")


def dies_of_peer(programs, deceased):
    """An actor dies because the node of another is gone, and says so to those it is linked with."""
    trio = Trio(programs, "rust")
    linked = Linked(trio, deceased, frail=deceased)
    alias, _ = linked.actors[deceased]
    doomed = trio.third.ok("spawn probe doomed")
    node = trio.nodes[deceased]
    node.ok(f"link {alias} probe {doomed}" if deceased == "rust"
            else f"by {alias} link probe {doomed}")
    trio.third.kill()
    node.event("stopped", actor=alias, reason="PeerDisconnected")
    linked.heard(OTHER_KIND[deceased], "PeerDisconnected")


def only_kameo_knows(programs, accept):
    """Kameo's ActorRef::link_remote tells only its own node of the link. Whether we believe the
    death of an actor that we know no link with is a setting."""
    options = {"rust": ["idle=300000"], "c": ["accept_unlinked_deaths"] if accept else []}
    pair = Pair(programs, f"unlinked-{accept}", options=options)
    alias, actor = pair.spawn("rust")
    other, other_id = pair.spawn("c")
    pair.nodes["rust"].ok(f"link_own {alias} probe {other_id}")
    pair.nodes["rust"].ok(f"kill {alias}")
    if accept:
        pair.nodes["c"].event("link_died", actor=other, of=actor, reason="Killed")
    else:
        pair.nodes["c"].traced("death_ignored")
        expect(not pair.nodes["c"].said("link_died", actor=other), "an unknown link died")


def unlinks_itself(pair):
    """Kameo's ActorRef::unlink_remote does reach the other side."""
    linked = Linked(pair, "c")
    alias, _ = linked.actors["rust"]
    pair.nodes["rust"].ok(f"unlink_own {alias} probe {linked.actors['c'][1]}")
    after = Linked(pair, "c")
    linked.die("rust", "Killed")
    after.die("rust", "Killed")
    after.heard("c", "Killed")
    expect(not pair.nodes["c"].said("link_died", actor=linked.actors["c"][0]),
           "an unlinked death was told")


def run(programs, report):
    for third in ("rust", "c"):
        trio = Trio(programs, third)
        for deceased in trio.nodes:
            report.run(f"a third {third} node links, {deceased} dies", third_links, trio, deceased)
            report.run(f"a third {third} node links and unlinks, {deceased} dies", third_unlinks,
                       trio, deceased)
    for deceased, _ in DIRECTIONS:
        report.run(f"{deceased} dies PeerDisconnected", dies_of_peer, programs, deceased)
    for accept in (False, True):
        report.run(f"rust alone knows of a link, {'believed' if accept else 'not believed'}",
                   only_kameo_knows, programs, accept, decided=None if accept else "D-023")
    pair = Pair(programs, "links")
    report.run("c links, rust unlinks itself", unlinks_itself, pair)
    for linker, _ in DIRECTIONS:
        for deceased, survivor in DIRECTIONS:
            for reason in ("Normal", "Killed", "Panicked", "LinkDied"):
                report.run(f"{linker} links, {deceased} dies {reason}", death, pair, linker,
                           deceased, reason)
            report.run(f"{linker} links, {survivor} stops of it", survivor_stops, pair, linker,
                       deceased)
            report.run(f"{linker} links and unlinks, {deceased} dies", unlink, pair, linker,
                       deceased)
        report.run(f"{linker} links with a dead actor", dead_actor, pair, linker)
        report.run(f"{linker} links with an unknown actor", unknown_actor, pair, linker)
        report.run(f"{linker} links with an actor of another type", other_type, pair, linker)
        for who, _ in DIRECTIONS:
            report.run(f"{linker} links, {who} leaves", peer_leaves, programs, linker, who)
            report.run(f"{linker} links, {who} hangs up", peer_hangs_up, programs, linker, who,
                       decided="D-007")
        for killed, _ in DIRECTIONS:
            report.run(f"{linker} links, kill -9 of {killed}", peer_killed, programs, linker,
                       killed)
