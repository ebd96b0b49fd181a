# SPDX-License-Identifier: MIT
"""Peers that mean no good, on a real libp2p. The node stays up and within its limits, serves others
meanwhile, and its trace says why each of them lost."""
import os
import threading

import cases
import driver
from driver import Failed, eventually, expect
from kinds import HERE, KAD

MIB = 1024 * 1024
GROWTH_MAX = 48 * MIB  # of the process, in one attack; what is stored for peers stays for a while
# Waits that attacks are to run into are short here.
LIMITS = ["--limit", "upgrade_timeout_ns=2s", "--limit", "negotiation_timeout_ns=2s",
          "--limit", "keepalive_ns=1s", "--limit", "kad_rpc_timeout_ns=3s"]

# Attacks that end the connection they are made on before it is one: name, what upgrade_failed says.
HANDSHAKES = [
    ("garbage", {"stage": "security", "status": "EMALFORMED"}),
    ("zeroes", {"stage": "security", "status": "EMALFORMED"}),
    ("tls", {"stage": "security", "status": "EMALFORMED"}),
    ("http", {"stage": "security", "status": "ETIMEDOUT"}),
    ("slowloris", {"stage": "security", "status": "ETIMEDOUT"}),
    ("long-token", {"stage": "security", "status": "ETOOBIG"}),
    ("endless-proposals", {"stage": "security", "status": "ENEGOTIATION"}),
    ("endless-ls", {"stage": "security", "status": "ENEGOTIATION"}),
    ("noise-empty", {"stage": "security", "status": "EMALFORMED"}),
    ("noise-short", {"stage": "security", "status": "EMALFORMED"}),
    ("noise-long", {"stage": "security", "status": "ETIMEDOUT"}),
    ("noise-zero-point", {"status": "EAUTH"}),
    ("noise-third", {"status": "EAUTH"}),
    ("noise-no-payload", {"stage": "security", "status": "EMALFORMED"}),
    ("noise-wrong-signature", {"stage": "identity", "status": "EAUTH"}),
    ("noise-other-key", {"stage": "identity", "status": "EAUTH"}),
    ("noise-bad-key", {"stage": "security", "status": "EMALFORMED"}),
    ("noise-stolen-key", {"stage": "identity", "status": "EAUTH"}),
    ("noise-huge-payload", {"stage": "security", "status": "ETOOBIG"}),
    ("garbage-frame", {"status": "EAUTH"}),
    ("muxer-garbage", {"stage": "muxer", "status": "EMALFORMED"}),
    ("muxer-unknown", {"stage": "muxer", "status": "ENEGOTIATION"}),
]

# Frames that break the rules of yamux: the connection ends with Go Away 1 and the reason is traced.
VIOLATIONS = [("bad-version", "EMALFORMED"), ("bad-type", "EMALFORMED"),
              ("even-stream", "EVIOLATION"), ("stream-zero", "EVIOLATION"),
              ("stream-twice", "EVIOLATION"), ("over-window", "EVIOLATION"),
              ("window-overflow", "EVIOLATION"), ("four-gigabytes", "EVIOLATION")]

# Frames that are allowed and too many: a ping is answered behind them.
FLOODS = [("ping-flood", None), ("empty-frames", None), ("unknown-streams", None),
          ("syn-flood", ("stream_refused", {"status": "ECLOSED"})),
          ("rapid-reset", ("stream_refused", {"status": "ERESET"}))]

# What is unusual and right.
CONFORMING = ["ping-answered", "syn-with-data", "go-away"]

# Attacks of a peer that is connected, and stays so: what the trace says of it.
CONDUCT = [
    ("identify-megabyte", "identify_failed", {"status": "ETOOBIG"}),
    ("identify-garbage", "identify_failed", {"status": "EMALFORMED"}),
    ("identify-cut", "identify_failed", {"status": "EMALFORMED"}),
    ("identify-other-key", "identify_failed", {"status": "EAUTH"}),
    ("identify-other-record", "identify_failed", {"status": "EAUTH"}),
    ("identify-forged-record", "identify_failed", {"status": "EAUTH"}),
    ("identify-many", "identify_failed", {"status": "ETOOBIG"}),
    ("ping-unread", "stream_misused", {"how": "pings without reading the echoes"}),
    ("kad-garbage", "kad_message_refused", {"status": "EMALFORMED", "inbound": "1"}),
    ("kad-oversize", "kad_message_refused", {"status": "ETOOBIG", "inbound": "1"}),
    ("kad-long", "kad_message_refused", {"status": "ETOOBIG", "inbound": "1"}),
    ("kad-cut", "kad_message_refused", {"status": "EMALFORMED", "inbound": "1"}),
    ("kad-other-provider", "kad_provider_refused", {"status": "EAUTH"}),
    ("kad-other-owner", "kad_record_refused", {"status": "EAUTH"}),
    ("kad-no-key", "kad_message_refused", {"status": "EMALFORMED", "inbound": "1"}),
    ("kad-record-flood 3000", "kad_record_refused", {"status": "EFULL"}),
    ("kad-provider-flood 20000", "kad_provider_refused", {"status": "EFULL"}),
    ("kad-unread", "stream_misused", {"how": "does not read the answers"}),
]

# Attacks with streams of one protocol that say nothing: the trace says which bound they met.
STREAMS = [
    ("push-flood", "identify streams of a connection"),
    ("stream-flood /ipfs/ping/1.0.0 600", "ping streams of a connection"),
    ("stream-flood /kameo/messaging/1.0.0 600", "requests_per_connection"),
    (f"stream-flood {KAD} 600", "kad inbound streams of a peer"),
    ("mute-streams /ipfs/ping/1.0.0", "ping streams of a connection"),
    ("mute-streams /ipfs/id/push/1.0.0", "identify streams of a connection"),
]


class Honest(threading.Thread):
    """A peer that pings the node and asks its DHT all the while."""

    def __init__(self, peer, node):
        super().__init__(daemon=True)
        self.peer, self.node = peer, node
        self.ending = threading.Event()
        self.served = 0
        self.failure = None
        self.start()

    def run(self):
        while not self.ending.is_set() and self.failure is None:
            try:
                self.peer.ask("ping", self.node.id, seconds=10)
                self.served += 1
            except Failed as error:
                self.failure = error
            self.ending.wait(0.05)

    def stop(self):
        self.ending.set()
        self.join(20)
        if self.failure:
            raise Failed(f"the honest peer was not served: {self.failure}")
        return self.served


def under_attack(node, honest, body):
    """Has the attack made while the honest peer is served; then looks at the node."""
    before = node.rss_bytes()
    watch = Honest(honest, node)
    try:
        note = body()
    finally:
        served = watch.stop()
    grown = node.rss_bytes() - before
    expect(node.alive(), f"the node ended: {node.said()}")
    expect(served > 0, "the honest peer was never served")
    expect(grown < GROWTH_MAX, f"the process grew by {grown // MIB} MiB")
    return f"{note or ''} (served {served} pings, {grown / MIB:+.1f} MiB)".strip()


def traced(node, mark, event, fields):
    node.wait("trace:" + event, after=mark, **fields)


def attack(hostile, node, words):
    name, *rest = words.split()
    return hostile.ask(name, node.address, *rest, seconds=60)


def check_handshake(node, hostile, name, fields):
    mark = node.mark()
    said = attack(hostile, node, name)
    traced(node, mark, "upgrade_failed", fields)
    return f"ended by {said['ended']}"


def check_violation(node, hostile, name, status):
    mark = node.mark()
    said = attack(hostile, node, name)
    expect(said["code"] == "1", f"Go Away {said['code']}")
    traced(node, mark, "peer_violation", {"where": "yamux", "status": status})


def check_flood(node, hostile, name, trace):
    mark = node.mark()
    said = attack(hostile, node, name)
    expect(said["ended"] == "no", "the connection was ended")
    if trace:
        traced(node, mark, trace[0], trace[1])
    if name == "syn-flood":  # whether our own identify still counts decides which bound it meets
        node.wait("trace:limit_reached", after=mark, check=lambda fields: fields["limit"] in (
            "streams_per_connection", "streams_pending_in"))
    return f"{said['after']} frames"


def check_conduct(node, hostile, words, event, fields):
    mark = node.mark()
    said = attack(hostile, node, words)
    if "peer" in node.wait("trace:" + event, after=mark, **fields):
        traced(node, mark, event, {**fields, "peer": said["peer"]})


def check_streams(node, hostile, words, limit):
    mark = node.mark()
    said = attack(hostile, node, words)
    traced(node, mark, "limit_reached", {"limit": limit})
    seen = len(node.seen("trace:limit_reached", after=mark, limit=limit))
    expect(seen <= 10, f"the limit was traced {seen} times")
    return " ".join(f"{k}={v}" for k, v in said.items() if k not in ("id", "peer"))


def check_half_open(node, hostile):
    """Refused at the bound, ended at their time; then newcomers are let in again."""
    mark = node.mark()
    said = attack(hostile, node, "half-open 400")
    traced(node, mark, "limit_reached", {"limit": "connections_pending_in"})
    traced(node, mark, "upgrade_failed", {"status": "ETIMEDOUT"})
    attack(hostile, node, "handshake-flood 1")
    return f"{said['refused']} refused by the dial, {said['ended']} ended"


def check_comings(node, hostile, words, event, fields, least):
    mark = node.mark()
    attack(hostile, node, words)
    eventually(lambda: len(node.seen("trace:" + event, after=mark, **fields)) >= least,
               f"{least} times {event}")


def check_silent(node, hostile):
    mark = node.mark()
    attack(hostile, node, "silent-session")
    traced(node, mark, "connection_closed", {"reason": "ETIMEDOUT"})


def check_mute_negotiation(node, hostile):
    mark = node.mark()
    said = attack(hostile, node, "negotiation-hangs")
    expect(said["resets"] == "100", f"{said['resets']} of 100 streams were reset")
    traced(node, mark, "stream_refused", {"status": "ETIMEDOUT"})


def check_over_window(suite, kinds, hostile):
    """Fills a window that nobody empties, and goes on; `troupe node` itself withholds no credit."""
    troupe = suite.start(kinds.ours())
    mark = troupe.mark()
    said = attack(hostile, troupe, "over-window-late")
    expect(said["code"] == "1", f"Go Away {said['code']}")
    traced(troupe, mark, "peer_violation", {"where": "yamux", "status": "EVIOLATION"})


def check_liar(suite, kinds, hostile, words):
    """A liar stands in the tables; what honest peers know is found all the same."""
    victim, other, third = (suite.start(kinds.ours("--limit", "kad_rpc_timeout_ns=2000000000"))
                            for _ in range(3))
    cases.dial(other, third)
    mark = hostile.mark()
    hostile.tell(words, victim.address, 60)  # seconds, unless the victim ends before
    liar = hostile.wait("standing", after=mark)["peer"]
    cases.dial(victim, other)
    eventually(lambda: liar in victim.ask("kad-table")["peers"].split(","),
               "the liar is in the table")
    name = words.replace("-", " ")
    third.ask("kad-provide", cases.key_of(name))
    third.ask("kad-put", cases.record_of(name), name.encode().hex())
    cases.check_find(victim, third, "a table with a liar")
    found = victim.ask("kad-providers", cases.key_of(name), seconds=60)["peers"].split(",")
    expect(third.id in found, f"providers {found}")
    got = victim.ask("kad-get", cases.record_of(name), seconds=60)["value"]
    expect(bytes.fromhex(got).decode() == name, f"the value is {got}")
    expect(int(victim.ask("status")["memory"]) < 16 * MIB, "the node's heap grew")
    asked = len(hostile.seen("asked", after=mark, peer=liar))
    expect(asked > 0, "the liar was never asked")
    suite.stop_peers_but(hostile)
    return f"asked {asked} times"


def wire_cases(suite, kinds):
    node = suite.start(kinds.node("--kad-protocol", KAD, *LIMITS))
    honest = suite.start(kinds.foreign("go"))
    honest.ask("dial", node.address)
    hostile = suite.start(driver.Peer("hostile", [os.path.join(HERE, "go", "bin", "hostile")]))

    def case(name, body):
        suite.case(name, lambda: under_attack(node, honest, body))

    for name, fields in HANDSHAKES:
        case(f"before it is a connection: {name}",
             lambda n=name, f=fields: check_handshake(node, hostile, n, f))
    case("400 connections that say nothing", lambda: check_half_open(node, hostile))
    case("1000 connections that hang up at once", lambda: check_comings(
        node, hostile, "hang-up 1000", "upgrade_failed", {}, 900))
    case("200 connections of strangers, one after another", lambda: check_comings(
        node, hostile, "handshake-flood 200", "connection_closed", {}, 190))
    for name, status in VIOLATIONS:
        case(f"yamux: {name}", lambda n=name, s=status: check_violation(node, hostile, n, s))
    for name, trace in FLOODS:
        case(f"yamux: {name}", lambda n=name, t=trace: check_flood(node, hostile, n, t))
    for name in CONFORMING:
        case(f"yamux, unusual and right: {name}", lambda n=name: attack(hostile, node, n) and None)
    case("yamux: a session that answers nothing", lambda: check_silent(node, hostile))
    case("streams that never say what they are for", lambda: check_mute_negotiation(node, hostile))
    for words, event, fields in CONDUCT:
        case(f"conduct: {words}", lambda w=words, e=event, f=fields: check_conduct(
            node, hostile, w, e, f))
    case("conduct: identify-hangs", lambda: attack(hostile, node, "identify-hangs") and None)
    for words, limit in STREAMS:
        case(f"streams: {words}", lambda w=words, l=limit: check_streams(node, hostile, w, l))


def peer_cases(suite, kinds):
    hostile = suite.start(driver.Peer("hostile", [os.path.join(HERE, "go", "bin", "hostile")]))
    suite.case("yamux: more than a window that nobody empties",
               lambda: check_over_window(suite, kinds, hostile))
    for words in ("kad-lies", "kad-silent", "kad-answer-garbage", "kad-answer-huge",
                  "kad-answer-endless"):
        suite.case(f"a liar in the table: {words}",
                   lambda w=words: check_liar(suite, kinds, hostile, w))


def run(suite, kinds):
    for group in (wire_cases, peer_cases):
        suite.group(group, kinds)
