# SPDX-License-Identifier: MIT
"""Peers that are good libp2p peers and mean no good: they lose. Our node says why in its trace,
stays within its limits, and serves an honest Kameo node all the while."""
import threading
import time

import wire
from driver import expect
from pairs import Pair, serial

KIB = 1024
MIB = 1024 * KIB
# What a node may have in use on top of its quiet state, whatever is done to it here.
MEMORY_MAX = 24 * MIB
QUIET_SECONDS = 30
STREAMS_PER_CONNECTION = 256
PENDING_PER_CONNECTION = 100


class Scene:
    """An honest pair, and a hostile peer connected with our node."""

    def __init__(self, programs, name="hostile", only_honest=False):
        self.programs = programs
        self.pair = Pair(programs, name, only_each_other=only_honest)
        self.node, self.honest = self.pair.nodes["c"], self.pair.nodes["rust"]
        self.quiet = self.node.ok("inspect")

    def hostile(self, name):
        hostile = self.programs.start("hostile", f"hostile-{next(serial)}-{name}")
        hostile.ok(f"dial {self.pair.addresses['c']}")
        self.node.event("connected", peer=hostile.peer)
        return hostile

    def still_serves(self):
        self.honest.ok(f"ask probe {self.pair.probes['c']} nap 1")

    def within_limits(self):
        now = self.node.ok("inspect")
        expect(now["memory_bytes"] < self.quiet["memory_bytes"] + MEMORY_MAX, f"{now}")
        return now

    def calms_down(self):
        """All that was taken is given back."""
        end = time.monotonic() + QUIET_SECONDS
        while True:
            now = self.within_limits()
            if now["streams"] == 0 and now["requests"] == self.quiet["requests"]:
                return
            expect(time.monotonic() < end, f"not given back: {now}")
            time.sleep(0.2)  # between looks at what announces itself to nobody


def refused(scene, hostile, bytes_, why, trace="envelope_refused"):
    """The message gets no answer, or one that says no; the trace says why."""
    hostile.finish(hostile.begin(f"send {wire.MESSAGING} {bytes_}"))
    scene.node.traced(trace, hostile.peer, why)
    scene.still_serves()


def forged_signal(scene):
    """B5: one message of any peer stops an actor, in Kameo."""
    pair, hostile = scene.pair, scene.hostile("signal")
    alias, actor = pair.spawn("c", "frail")
    sibling, sibling_id = pair.spawn("rust")
    scene.node.ok(f"by {alias} link probe {sibling_id}")
    notified = bytes.fromhex(actor)
    forged = wire.signal_link_died(bytes.fromhex(sibling_id), notified).hex()
    refused(scene, hostile, forged, "EAUTH")
    forged = wire.signal_link_died(wire.actor_id(7, hostile.peer), notified).hex()
    hostile.ok(f"send {wire.MESSAGING} {forged}")  # of its own actor, which is not linked
    scene.node.ok(f"ask probe {actor} nap 0")
    expect(not scene.node.said("link_died", actor=alias), "a forged death was believed")
    scene.honest.ok(f"kill {sibling}")
    scene.node.event("link_died", actor=alias, reason="Killed")


def forged_link(scene):
    """A third node may bring two actors together, as in Kameo: the other one's peer is asked first,
    and what is not there is not linked. Kameo links, and ends the actor when that peer goes."""
    hostile = scene.hostile("link")
    alias, actor = scene.pair.spawn("c", "frail")
    nobody = wire.actor_id(4711, scene.honest.peer)
    forged = wire.link(bytes.fromhex(actor), nobody).hex()
    answer = bytes.fromhex(hostile.ok(f"send {wire.MESSAGING} {forged}"))
    expect(b"ActorNotRunning" in answer, f"{answer}")
    scene.node.traced("link_unconfirmed", scene.honest.peer, "EDEAD")
    scene.node.ok(f"ask probe {actor} nap 0")
    expect(not scene.node.said("link_died", actor=alias), "a forged link died")
    scene.still_serves()


def not_allowed(programs):
    """A node with an allow-list: others get no answer that tells them who is there."""
    scene = Scene(programs, "allowed", only_honest=True)
    hostile = scene.hostile("not-allowed")
    alias, actor = scene.pair.spawn("c")
    ours, own = bytes.fromhex(actor), wire.actor_id(3, hostile.peer)
    for forged in (wire.ask(ours, "nap", b"\x81\xa2ms\x00"), wire.tell(ours, "panic", b"\x90"),
                   wire.link(ours, own), wire.signal_link_died(own, ours), wire.unlink(ours, own)):
        answer = bytes.fromhex(hostile.ok(f"send {wire.MESSAGING} {forged.hex()}"))
        expect(b"UnknownActor" in answer, f"{answer}")
    scene.node.traced("access_refused", hostile.peer)
    scene.still_serves()
    scene.node.ok(f"ask probe {actor} nap 0")
    expect(not scene.node.said("link_died", actor=alias), "it was linked all the same")


def wrong_record_owner(scene):
    """Says that a name is held by somebody else, and that somebody else's name is held by it."""
    hostile = scene.hostile("record")
    honest = scene.honest.peer
    key = f"stolen:meta:{honest}".encode()
    value = wire.registration(wire.actor_id(0, honest), honest)
    for put in (wire.put_value(key, value), wire.put_value(key, value, wire.peer_bytes(honest))):
        hostile.ok(f"send {wire.REGISTRY} {put.hex()}")
        scene.node.traced("kad_record_refused", hostile.peer, "EAUTH")
    key = f"stolen:meta:{hostile.peer}".encode()
    hostile.ok(f"send {wire.REGISTRY} {wire.put_value(key, value).hex()}")
    scene.node.traced("kad_record_refused", hostile.peer)
    provider = wire.add_provider(b"stolen", wire.peer_bytes(honest))
    hostile.finish(hostile.begin(f"send {wire.REGISTRY} {provider.hex()}"))
    scene.node.traced("kad_provider_refused", "EAUTH")
    view = scene.node.ok("inspect")
    expect(view["kad_records"] == 0 and view["kad_providers"] == 0, f"kept: {view}")
    scene.still_serves()


def malformed(scene):
    """B4: an id of seven bytes, and all that does not decode."""
    hostile = scene.hostile("malformed")
    short = wire.ask(b"1234567", "nap", b"\x81\xa2ms\x00")
    for bad in (short, b"", b"\xff", short[:40], b"\xa1cFoo\xf6", b"\x9f" * 3000,
                wire.cbor({"Tell": {"actor_id": b"12345678"}}), b"\xa1cAsk\xbf" + b"\x61a" * 500,
                wire.ask(wire.actor_id(0, hostile.peer), "nap", b"")[:-1]):
        hostile.finish(hostile.begin(f"send {wire.MESSAGING} {bad.hex()}"))
    scene.node.traced("envelope_refused", hostile.peer)
    scene.still_serves()
    for claims in (b"\xff" * 9 + b"\x01", wire.uvarint(17 * KIB), b"\x80" * 20,
                   b"\x03\x08\x63\x00"):
        hostile.finish(hostile.begin(f"send {wire.REGISTRY} {claims.hex()}"))
    scene.node.traced("kad_message_refused", hostile.peer)
    scene.still_serves()


def claims_much(scene):
    """A header that promises 2^40 items reserves nothing."""
    hostile = scene.hostile("claims")
    before = scene.node.ok("inspect")["memory_bytes"]
    head = wire.cbor({"Ask": None})[:-1] + b"\xa7" + wire.cbor("payload")
    for promise in (b"\x9b\x00\x00\x01" + b"\x00" * 5, b"\x7b\x00\x00\x01" + b"\x00" * 5):
        hostile.finish(hostile.begin(f"send {wire.MESSAGING} {(head + promise).hex()}"))
    actor = bytes.fromhex(scene.pair.probes["c"])
    for message, promise in (("list", b"\x82\xa7numbers\xdd\xff\xff\xff\xff"),
                             ("text", b"\xdb\xff\xff\xff\xff"), ("map", b"\xdf\xff\xff\xff\xff")):
        hostile.finish(hostile.begin(
            f"send {wire.MESSAGING} {wire.ask(actor, message, promise).hex()}"))
    after = scene.node.ok("inspect")["memory_bytes"]
    expect(after < before + MIB, f"{before} bytes became {after}")
    scene.still_serves()


def oversize(scene):
    """Messages that never end: they are cut off at the limit, not read."""
    hostile = scene.hostile("oversize")
    for _ in range(8):
        hostile.finish(hostile.begin(f"send {wire.MESSAGING} a1,ff*{4 * MIB}"))
    scene.node.traced("request_failed", hostile.peer, "ETOOBIG")
    scene.within_limits()
    scene.still_serves()


def half_open(scene):
    """Requests that are begun and not ended hold their places for 10 s, and no longer."""
    hostile = scene.hostile("half-open")
    part = wire.ask(bytes.fromhex(scene.pair.probes["c"]), "nap", b"\x81\xa2ms\x00")[:-5].hex()
    said = hostile.ok(f"hold {wire.MESSAGING} {part} {PENDING_PER_CONNECTION}")
    expect(said["held"] > 0, f"{said}")
    scene.within_limits()
    scene.still_serves()
    scene.node.traced("request_failed", hostile.peer, "ETIMEDOUT")
    scene.calms_down()


def stream_flood(scene):
    """More streams than a connection may have, on both protocols, from three peers."""
    for index in range(3):
        hostile = scene.hostile(f"flood-{index}")
        for protocol in (wire.MESSAGING, wire.REGISTRY):
            hostile.ok(f"hold {protocol} 00*64 600", QUIET_SECONDS)
        now = scene.within_limits()
        expect(now["streams"] <= (index + 2) * STREAMS_PER_CONNECTION, f"{now}")
        scene.still_serves()
        hostile.kill()
    scene.calms_down()


def slow_reader(scene):
    """Asks for much and reads none of it."""
    hostile = scene.hostile("slow")
    actor = bytes.fromhex(scene.pair.probes["c"])
    weigh = wire.ask(actor, "weigh", b"\x81\xa5bytes\xce\x00\x0c\x00\x00")
    hostile.ok(f"unread {wire.MESSAGING} {weigh.hex()} 8")
    scene.within_limits()
    scene.still_serves()
    scene.node.traced("request_failed", hostile.peer, "inbound=1", "ETIMEDOUT")
    scene.calms_down()


def slow_writer(scene):
    """A byte now and then does not buy a stream more time."""
    hostile = scene.hostile("drip")
    began = time.monotonic()
    said = hostile.ok(f"drip {wire.MESSAGING} a1,00*1000 100", 2 * QUIET_SECONDS)
    took = time.monotonic() - began
    expect(said["refused"] and took < 2 * QUIET_SECONDS, f"{said} after {took:.0f} s")
    scene.still_serves()


ANSWERS = {
    "nothing": (b"", "ERESET"),
    "no CBOR": (b"\xff\xff", "DeserializeMessage"),
    "another variant": (wire.cbor({"Tell": {"Ok": []}}), "DeserializeMessage"),
    "a cut one": (wire.cbor({"Ask": {"Ok": [1, 2, 3]}})[:-1], "DeserializeMessage"),
    "what is no reply": (wire.cbor({"Ask": {"Ok": [0xC1]}}), "DeserializeMessage"),
    "a header that promises 2^40 items": (
        b"\xa1\x63Ask\xa1\x62Ok\x9b\x00\x00\x01\x00\x00\x00\x00\x00", "DeserializeMessage"),
    "more than 10 MiB": (None, "ETOOBIG"),
}


def bad_answer(scene, name):
    """B6: an answer of the wrong kind panics Kameo's asker. With us the ask fails, once."""
    answer, error = ANSWERS[name]
    hostile = scene.hostile("answers")
    hostile.ok(f"serve {wire.MESSAGING} answer " +
               (f"a1,ff*{11 * MIB}" if answer is None else f"{answer.hex()},"))
    target = wire.actor_id(0, hostile.peer).hex()
    for line in (f"ask probe {target} struct", f"by boss ask probe {target} struct"):
        scene.node.error(line, error)
    scene.within_limits()
    scene.still_serves()


def silent_answer(scene):
    """Takes the request and says nothing, or a byte a second."""
    targets = []
    for how in ("silent", "drip a1,00*1000 1000"):
        hostile = scene.hostile("silent")
        hostile.ok(f"serve {wire.MESSAGING} {how}")
        targets.append(wire.actor_id(0, hostile.peer).hex())
    begun = [scene.node.begin(f"ask probe {one} struct") for one in targets]
    for one in begun:
        scene.node.is_error(scene.node.finish(one), "NetworkTimeout", one[1])
    scene.still_serves()


def dies_linked(scene):
    """A peer that links an actor of its own, and is killed: the link dies once, with a reason."""
    hostile = scene.hostile("linked")
    alias, actor = scene.pair.spawn("c")
    own = wire.actor_id(3, hostile.peer)
    hostile.ok(f"send {wire.MESSAGING} {wire.link(bytes.fromhex(actor), own).hex()}")
    hostile.kill()
    scene.node.event("link_died", actor=alias, of=own.hex(), reason="PeerDisconnected")
    expect(not scene.node.said("link_died", actor=alias), "the death was told twice")
    scene.still_serves()


REASONS = {
    "Normal": "Normal",
    "SupervisorRestart": "SupervisorRestart",
    "Killed": "Killed",
    "Panicked": {"Panicked": {"err": "boom", "reason": "HandlerPanic"}},
    "Panicked, as up to 0.19": {"Panicked": "boom"},
    "Panicked, for a reason to be invented": {"Panicked": {"err": "boom", "reason": "OnWhim"}},
    "LinkDied": {"LinkDied": {"id": bytes(8), "reason": {"LinkDied": {
        "id": bytes(8), "reason": {"Panicked": {"err": "boom", "reason": "OnStop"}}}}}},
    "PeerDisconnected": "PeerDisconnected",
}


def every_reason(scene):
    """What may be said of a death, also what no version of Kameo says; this peer is a good one."""
    peer = scene.hostile("reasons")
    for index, (name, reason) in enumerate(REASONS.items()):
        alias, actor = scene.pair.spawn("c")
        ours, own = bytes.fromhex(actor), wire.actor_id(index, peer.peer)
        for message in (wire.link(ours, own), wire.signal_link_died(own, ours, reason)):
            answer = bytes.fromhex(peer.ok(f"send {wire.MESSAGING} {message.hex()}"))
            expect(answer.endswith(b"\xa1\x62Ok\x80"), f"{name}: {answer}")
        event = scene.node.event("link_died", actor=alias, of=own.hex(),
                                 reason=name.partition(",")[0])
        expect("Panicked" not in name or event["detail"]["text"] == "boom", f"{event}")


CASES = {
    "wrong record owner": wrong_record_owner,
    "forged death signal": forged_signal,
    "forged link": forged_link,
    "malformed messages": malformed,
    "headers that promise much": claims_much,
    "oversize messages": oversize,
    "stream floods": stream_flood,
    "linked and killed": dies_linked,
}
# These last 10 s by definition: all at once, each on a node of its own.
SLOW_CASES = {
    "half-open requests": half_open,
    "slow reader": slow_reader,
    "slow writer": slow_writer,
    "never answers": silent_answer,
}


def run(programs, report):
    slow = [threading.Thread(target=report.run, args=(
        f"hostile: {name}", case, Scene(programs, case.__name__)))
        for name, case in SLOW_CASES.items()]
    for thread in slow:
        thread.start()
    scene = Scene(programs)
    report.run("by hand: a death of every reason", every_reason, scene)
    for name, case in CASES.items():
        report.run(f"hostile: {name}", case, scene)
    report.run("hostile: not on the allow-list", not_allowed, programs)
    for name in ANSWERS:
        report.run(f"hostile: answers with {name}", bad_answer, scene, name)
    for thread in slow:
        thread.join()
