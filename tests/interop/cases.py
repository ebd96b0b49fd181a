# SPDX-License-Identifier: MIT
"""What a Troupe node and one foreign peer do to each other, both ways."""
import hashlib
import json
import time

import codec
from driver import Failed, Skipped, eventually, expect
from kinds import KAD

MIB = 1024 * 1024
PREFIX = "/troupe/interop/"
SPOKEN = [PREFIX + name + "/1.0.0" for name in ("echo", "bulk", "hold", "early", "kad")] + [
    "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"]
WINDOW = 256 * 1024
GRACE_SECONDS = 5  # that duplicate connections live
SLACK = 20 * 1024  # peers count what they wrote in chunks, and a negotiation takes some of a window


def key_of(name):
    """A key of the DHT that every implementation takes for providers: a multihash."""
    return (b"\x12\x20" + hashlib.sha256(name.encode()).digest()).hex()


def record_of(name):
    """A key of the DHT that every implementation takes for records: of a namespace."""
    return f"/troupe/{name}".encode().hex()


def is_connected(peer, other):
    """Whether more connections between them began than ended."""
    return len(peer.seen("connected", peer=other.id)) > len(
        peer.seen("disconnected", peer=other.id))


def dial(dialer, listener):
    """Connects, and sees both sides say so. The listener's DHT may have dialed meanwhile."""
    dialer.ask("dial", listener.address)
    for peer, other in ((dialer, listener), (listener, dialer)):
        eventually(lambda p=peer, o=other: is_connected(p, o), f"{peer} is connected with {other}")


def hang_up(one, other):
    marks = one.mark(), other.mark()
    one.ask("hangup", other.id)
    one.wait("disconnected", after=marks[0], peer=other.id)
    return other.wait("disconnected", after=marks[1], peer=one.id)


def knows(peer, other, what, check):
    """Waits until `peer` has learnt of `other` what check() wants; gives what it knows."""
    if peer.kind == "troupe":
        return peer.wait("identified", peer=other.id, check=check)

    def look():
        try:
            known = peer.ask("known", other.id)
        except Failed:
            return None
        return known if check(known) else None
    return eventually(look, f"{peer} knows {what} of {other}")


def lists(field, *values):
    return lambda fields: all(one in fields.get(field, "").split(",") for one in values)


# ---- connecting ----

def check_connect(dialer, listener):
    dial(dialer, listener)
    said = dialer.wait("connected", peer=listener.id)
    expect(said["direction"] == "out", f"direction {said['direction']}")
    said = listener.wait("connected", peer=dialer.id)
    expect(said["direction"] == "in", f"direction {said['direction']}")


def check_identify(peer, other):
    known = knows(peer, other, "protocols and addresses", lambda fields: (
        lists("protocols", *SPOKEN)(fields) and "/tcp/" in fields["addresses"]))
    port = other.address.split("/")[4]
    expect(f"/ip4/127.0.0.1/tcp/{port}" in known["addresses"], f"addresses {known['addresses']}")
    said = peer.wait("identified", peer=other.id)
    agent = "troupe/" if other.kind == "troupe" else {"g": "go-libp2p", "r": "rust-libp2p",
                                                      "j": "js-libp2p"}[other.kind[0]]
    if other.kind == "go":
        agent = ""  # its agent is the name of the program's module
    expect(said["agent"].startswith(agent), f"agent {said['agent']}")
    expect(said["observed"].startswith("/ip4/127.0.0.1/tcp/"), f"observed {said['observed']}")
    return f"agent {said['agent']}"


def check_signed_record(foreign, troupe):
    """Both take the other's record; but rust-libp2p reads none that is not of the domain of RFC 3,
    which nobody else uses, and keeps to the addresses that we list."""
    theirs = troupe.wait("trace:identified", peer=foreign.id)
    expect(theirs["certified"] == "1", "troupe did not take the record")
    ours = foreign.wait("identified", peer=troupe.id)
    wanted = "false" if foreign.kind.startswith("rust") else "true"
    expect(ours["signed"] == wanted, f"signed={ours['signed']}")
    expect("/tcp/" in ours["addresses"], "and no address")


def check_push_protocols(speaker, listener):
    offered = f"{PREFIX}offered-by-{speaker.kind}/{time.monotonic_ns()}"
    speaker.ask("offer", offered)
    knows(listener, speaker, "the new protocol", lists("protocols", offered, *SPOKEN))


def check_push_addresses(speaker, listener):
    mark = speaker.mark()
    speaker.ask("listen", "/ip4/127.0.0.1/tcp/0")
    if speaker.kind == "troupe":
        added = speaker.wait("listening", after=mark)["address"].split("/p2p/")[0]
        knows(listener, speaker, "the new address", lambda known: added in known["addresses"])
    else:
        before = speaker.address.split("/p2p/")[0]
        knows(listener, speaker, "the new address", lambda known: len(
            {one for one in known["addresses"].split(",") if one.startswith("/ip4/127.0.0.1/tcp/")}
            - {before}) > 0)


def check_ping(peer, other):
    said = peer.ask("ping", other.id, 5)
    return f"{said['rtt_us']} us"


# ---- streams ----

def check_echo(peer, other, streams, size):
    peer.ask("echo", other.id, streams, size, seconds=60)


def check_many_streams(troupe, peer, other):
    """Streams opened at once, and many after one another; nothing is left of them."""
    for _ in range(10):
        peer.ask("echo", other.id, 100, 3000, seconds=60)
    eventually(lambda: int(troupe.ask("status")["streams"]) <= 2, "every stream is gone")


def check_both_ways_at_once(one, other):
    calls = [(peer, peer.tell("echo", to.id, 60, 20000))
             for peer, to in ((one, other), (other, one))]
    for peer, call in calls:
        peer.answer(call, 60)


def stalled_at(writer, call):
    """The bytes that a command has written when it gets no further."""
    counts = []

    def look():
        counts.append(int(writer.ask("progress", call)["sent"]))
        return counts[-1] >= WINDOW - SLACK and counts[-6:] == [counts[-1]] * 6
    eventually(look, "the window is full")
    return counts[-1]


def check_window(writer, holder):
    """The writer fills the window and stops; other streams go on; then the rest is taken."""
    size = 32 * WINDOW
    mark = holder.mark()
    call = writer.tell("hold", holder.id, size)
    if holder.kind == "troupe":
        holder.wait("held", after=mark)
    sent = stalled_at(writer, call)
    expect(WINDOW - SLACK <= sent < size, f"{sent} bytes were taken")
    check_ping(writer, holder)
    check_echo(writer, holder, 5, 100000)
    still = int(writer.ask("progress", call)["sent"])
    expect(still == sent, f"{still - sent} more bytes were taken")
    holder.ask("release")
    writer.answer(call, 60)


def check_reset(peer, other):
    mark = other.mark()
    peer.ask("reset", other.id)
    other.wait("stream-ended", after=mark, protocol=PREFIX + "echo/1.0.0")
    check_ping(peer, other)


def check_early(peer, other):
    """The other side half-closes first; we go on writing."""
    mark = other.mark()
    peer.ask("early", other.id, 300000)
    other.wait("early", after=mark, bytes="300000")


def check_unknown_protocol(peer, other):
    mark = other.mark()
    try:
        peer.ask("open", other.id, PREFIX + "nobody-speaks-this/1.0.0")
    except Failed:
        check_ping(peer, other)
        expect(not other.seen("disconnected", after=mark), "the connection did not outlive it")
        return
    raise Failed("a protocol that nobody speaks was agreed on")


def check_bulk(troupe, peer, other, up, down):
    """Content is checked by SHA-256 at both ends; a second run takes no more memory than one."""
    peer.ask("bulk", other.id, up, down, seconds=180)
    before = int(troupe.ask("status")["memory"]), troupe.rss_bytes()
    began = time.monotonic()
    peer.ask("bulk", other.id, up, down, seconds=180)
    took = time.monotonic() - began
    after = int(troupe.ask("status")["memory"]), troupe.rss_bytes()
    expect(after[0] <= before[0] + 64 * 1024, f"the heap grew from {before[0]} to {after[0]}")
    expect(after[1] <= before[1] + 4 * MIB, f"the process grew from {before[1]} to {after[1]}")
    return f"{(up + down) / MIB / took:.0f} MiB/s"


# ---- request-response ----

def check_request(peer, other, name, encode, decode, blob):
    if peer.kind.startswith("rust"):  # it is told in JSON, whatever it speaks
        encode, decode = encode_json, json.loads
    asked = {"text": "ünder", "number": 2**40 + 7, "blob": blob}
    said = peer.ask("request", other.id, f"{PREFIX}{name}/1.0.0", encode(asked).hex(), seconds=60)
    got = decode(bytes.fromhex(said["value"]))
    # Those that know the type count on; the others give back what they got.
    wanted = asked["number"] + (1 if other.kind.startswith("rust") else 0)
    expect(got["text"] == asked["text"] and bytes(got["blob"]) == bytes(blob), "another content")
    expect(got["number"] == wanted, f"number {got['number']}, not {wanted}")


def encode_json(value):
    return json.dumps({**value, "blob": list(value["blob"])}).encode()


# ---- ends ----

def check_hang_up(troupe, one, other, dialer, listener):
    """All that was said arrives, then both know of the end, and nobody calls it an accident."""
    mark = troupe.mark()
    one.ask("bulk", other.id, MIB, MIB, seconds=60)
    hang_up(one, other)
    expect(not troupe.seen("trace:peer_violation", after=mark), "a violation was traced")
    said = troupe.wait("trace:connection_closed", after=mark)
    # go-libp2p says no Go Away and resets the socket: that is its close.
    wanted = ["ERESET"] if one.kind == "go" else ["OK", "ECLOSED"]
    expect(said["reason"] in wanted, f"it ended with {said['reason']}")
    dial(dialer, listener)


def check_wrong_identity(dialer, listener, third):
    """A dial that expects somebody else is refused; the listener is none the worse for it."""
    wrong = listener.address.split("/p2p/")[0] + "/p2p/" + third.id
    mark = dialer.mark()
    if dialer.kind == "troupe":
        dialer.ask("dial", wrong)
        said = dialer.wait("trace:dial_failed", after=mark, peer=third.id)
        expect(said["status"] == "EAUTH", f"it failed with {said['status']}")
        return
    try:
        dialer.ask("dial", wrong)
    except Failed:
        expect(not dialer.seen("connected", after=mark, peer=third.id), "connected to an impostor")
        return
    raise Failed("it connected")


def settled(one, other):
    """Waits until both know as many connections, and for a while no other number."""
    looks = []

    def look():
        looks.append((one.ask("status")["connections"], other.ask("status")["connections"]))
        mine, theirs = looks[-1]
        return mine == theirs != "0" and looks[-6:] == [looks[-1]] * 6
    eventually(look, "both know the same connections")
    return int(looks[-1][0])


def check_killed(suite, dialer, listener):
    mark = dialer.mark()
    suite.peers.remove(listener)
    listener.kill()
    dialer.wait("disconnected", after=mark, peer=listener.id)


def check_simultaneous(suite, kinds, foreign_kind):
    """Both dial at the same moment: one connection stays, and serves both."""
    doubles = 0
    for _ in range(5):
        troupe = suite.start(kinds.ours())
        foreign = suite.start(kinds.foreign(foreign_kind))
        began = time.monotonic()
        calls = [(troupe, troupe.tell("dial", foreign.address)),
                 (foreign, foreign.tell("dial", troupe.address))]
        for peer, call in calls:
            try:
                peer.answer(call)
            except Failed as why:  # the other's dial was there first
                expect("EEXISTS" in str(why), str(why))
        # js-libp2p resets what exceeds 10 streams of a connection that it is still making.
        doubles += settled(troupe, foreign) > 1
        if time.monotonic() - began < GRACE_SECONDS - 2:  # else one may be closed meanwhile
            check_both_ways_at_once(troupe, foreign)
        eventually(lambda t=troupe, f=foreign: settled(t, f) == 1, "one connection stays")
        check_both_ways_at_once(troupe, foreign)
        suite.stop_peers()
    return f"{doubles} of 5 had two connections"


def check_idle(troupe, foreign):
    """We close what nobody uses, and not what somebody does."""
    mark = troupe.mark(), foreign.mark()
    call = foreign.tell("hold", troupe.id, 1000)
    time.sleep(2)  # twice the limit
    expect(not troupe.seen("disconnected", after=mark[0]), "a connection in use was closed")
    troupe.ask("release")
    foreign.answer(call)
    said = troupe.wait("disconnected", after=mark[0], peer=foreign.id)
    expect(said["why"] == "EIDLE", f"closed with {said['why']}")
    foreign.wait("disconnected", after=mark[1], peer=troupe.id)


def check_key(troupe, foreign):
    dial(foreign, troupe)
    check_ping(troupe, foreign)
    check_identify(troupe, foreign)
    hang_up(troupe, foreign)
    dial(troupe, foreign)
    check_ping(foreign, troupe)


def check_foreign_idle(troupe, foreign):
    """A peer that closes what nobody uses; whoever needs it dials again."""
    mark = troupe.mark()
    said = troupe.wait("disconnected", after=mark, peer=foreign.id)
    expect(said["why"] == "ECLOSED", f"closed with {said['why']}")
    dial(troupe, foreign)
    check_echo(troupe, foreign, 1, 1000)


def check_keepalive(troupe, foreign):
    """Both ping each other through yamux for many intervals; nobody gives up."""
    mark = troupe.mark()
    time.sleep(3)  # 15 intervals; ours ends a connection after one without an answer
    expect(not troupe.seen("disconnected", after=mark), "the connection was given up")
    check_ping(troupe, foreign)
    check_ping(foreign, troupe)


# ---- Kademlia ----

def check_tables(troupe, foreign):
    for peer, other in ((troupe, foreign), (foreign, troupe)):
        eventually(lambda p=peer, o=other: o.id in p.ask("kad-table")["peers"].split(","),
                   f"{other} is in the table of {peer}")


def check_find(peer, target, via):
    found = peer.ask("kad-find", target.id, seconds=60)["peers"].split(",")
    expect(target.id in found, f"{target} is not among {len(found)} peers that {via} led to")


def check_providers(provider, seeker, name):
    key = key_of(name)
    provider.ask("kad-provide", key, seconds=60)
    found = seeker.ask("kad-providers", key, seconds=60)["peers"].split(",")
    expect(found == [provider.id], f"providers {found}")


def check_record(owner, seeker, name):
    key, value = record_of(name), f"value of {name}".encode().hex()
    owner.ask("kad-put", key, value, seconds=60)
    got = seeker.ask("kad-get", key, seconds=60)["value"]
    expect(got == value, f"the value is {bytes.fromhex(got)!r}")


def check_absent(peer):
    try:
        said = peer.ask("kad-get", record_of("nobody put this"), seconds=60)
    except Failed:
        return
    raise Failed(f"a record that nobody put: {said}")


# ---- the groups ----

def connection_cases(suite, kinds, kind, dialer_is_ours):
    troupe = suite.start(kinds.ours())
    third = suite.start(kinds.ours())
    foreign = suite.start(kinds.foreign(kind))
    dialer, listener = (troupe, foreign) if dialer_is_ours else (foreign, troupe)
    way = f"{dialer} dials {listener}"
    both = ((troupe, foreign), (foreign, troupe))

    suite.case(f"{way}: TCP, Noise, yamux", lambda: check_connect(dialer, listener),
               needed=True)
    for peer, other in both:
        suite.case(f"{way}: {peer} identifies {other}",
                   lambda p=peer, o=other: check_identify(p, o))
    suite.case(f"{way}: signed peer records", lambda: check_signed_record(foreign, troupe))
    for peer, other in both:
        suite.case(f"{way}: {peer} pushes a protocol to {other}",
                   lambda p=peer, o=other: check_push_protocols(p, o))
        suite.case(f"{way}: {peer} pushes an address to {other}",
                   lambda p=peer, o=other: check_push_addresses(p, o))
        suite.case(f"{way}: {peer} pings {other}", lambda p=peer, o=other: check_ping(p, o))
    for peer, other in both:
        to = f"{way}: {peer} to {other}"
        suite.case(f"{to}: a stream without a byte", lambda p=peer, o=other: check_echo(p, o, 1, 0))
        suite.case(f"{to}: 1 MiB echoed", lambda p=peer, o=other: check_echo(p, o, 1, MIB))
        # rust-libp2p drops what exceeds 128 streams that negotiate at once.
        count = 100 if other.kind.startswith("rust") else 200
        suite.case(f"{to}: {count} streams at once, 20 kB each",
                   lambda p=peer, o=other, n=count: check_echo(p, o, n, 20000))
        suite.case(f"{to}: 1000 streams, a hundred at a time",
                   lambda p=peer, o=other: check_many_streams(troupe, p, o))
        suite.case(f"{to}: a stream reset", lambda p=peer, o=other: check_reset(p, o))
        suite.case(f"{to}: half-closed by {other} first", lambda p=peer, o=other: check_early(p, o))
        suite.case(f"{to}: an unknown protocol",
                   lambda p=peer, o=other: check_unknown_protocol(p, o))
    suite.case(f"{way}: 60 streams each way at once",
               lambda: check_both_ways_at_once(troupe, foreign))
    for peer, other in both:
        suite.case(f"{way}: {peer} fills the window of {other}",
                   lambda p=peer, o=other: check_window(p, o))
    for peer, other in both:
        suite.case(f"{way}: {peer} hangs up on {other}, and dials again",
                   lambda p=peer, o=other: check_hang_up(troupe, p, o, dialer, listener))
    suite.case(f"{way}: a dial that expects another PeerId",
               lambda: check_wrong_identity(dialer, listener, third))
    suite.case(f"{way}: {listener} is killed", lambda: check_killed(suite, dialer, listener))


def request_cases(suite, kinds, kind):
    troupe = suite.start(kinds.ours())
    foreign = suite.start(kinds.foreign(kind))
    dial(troupe, foreign)
    codecs = {"cbor": (codec.cbor_encode, codec.cbor_decode), "json": (encode_json, json.loads)}
    for peer, other in ((troupe, foreign), (foreign, troupe)):
        for name, (encode, decode) in codecs.items():
            for size in (0, 1000, 200000):
                suite.case(f"{peer} asks {other}: {name} with {size} bytes",
                           lambda p=peer, o=other, n=name, e=encode, d=decode, s=size:
                           check_request(p, o, n, e, d, bytes(i % 251 for i in range(s))))


def bulk_cases(suite, kinds, kind):
    for dialer_is_ours in (True, False):
        troupe = suite.start(kinds.ours())
        foreign = suite.start(kinds.foreign(kind))
        dial(troupe, foreign) if dialer_is_ours else dial(foreign, troupe)
        way = "troupe dialed" if dialer_is_ours else f"{kind} dialed"
        for peer, other in ((troupe, foreign), (foreign, troupe)):
            suite.case(f"{way}: {peer} sends 100 MiB to {other} and gets none",
                       lambda t=troupe, p=peer, o=other: check_bulk(t, p, o, 100 * MIB, 0))
            suite.case(f"{way}: {peer} gets 100 MiB from {other} and sends none",
                       lambda t=troupe, p=peer, o=other: check_bulk(t, p, o, 0, 100 * MIB))
        suite.stop_peers()


def time_cases(suite, kinds, kind):
    suite.case(f"troupe and {kind} dial each other at once",
               lambda: check_simultaneous(suite, kinds, kind))
    suite.stop_peers()
    troupe = suite.start(kinds.ours("--limit", "idle_timeout_ns=1000000000"))
    foreign = suite.start(kinds.foreign(kind))
    dial(foreign, troupe)
    suite.case(f"an idle connection with {kind} is closed, one in use is not",
               lambda: check_idle(troupe, foreign))
    suite.stop_peers()
    if kind.startswith("rust"):  # the others close none by themselves
        troupe = suite.start(kinds.ours())
        foreign = suite.start(kinds.foreign(kind, "--idle", "1000"))
        dial(troupe, foreign)
        suite.case(f"an idle connection is closed by {kind}",
                   lambda: check_foreign_idle(troupe, foreign))
        suite.stop_peers()
    troupe = suite.start(kinds.ours("--limit", "keepalive_ns=200000000"))
    foreign = suite.start(kinds.foreign(kind, "--keepalive", "200"))
    dial(troupe, foreign)
    suite.case(f"yamux pings between troupe and {kind}", lambda: check_keepalive(troupe, foreign))


def key_cases(suite, kinds, kind):
    if kind != "go":
        return
    for key in ("rsa", "ecdsa", "secp256k1"):
        troupe = suite.start(kinds.ours())
        foreign = suite.start(kinds.foreign(kind, "--key", key))
        suite.case(f"{kind} with an {key} key dials troupe, and is dialed",
                   lambda t=troupe, f=foreign: check_key(t, f))
        suite.stop_peers()


def kad_cases(suite, kinds, kind):
    troupe = suite.start(kinds.ours())
    far = suite.start(kinds.ours())
    foreign = suite.start(kinds.foreign(kind))
    dial(foreign, troupe)
    dial(far, foreign)
    suite.case(f"troupe and {kind} are in each other's table",
               lambda: (check_tables(troupe, foreign), check_tables(far, foreign)) and None)
    suite.case(f"troupe finds a troupe through {kind}: FIND_NODE",
               lambda: check_find(troupe, far, kind))
    for peer, other in ((troupe, foreign), (foreign, troupe), (troupe, far)):
        way = f"{peer} and {other}" + (f" through {kind}" if other is far else "")
        name = f"{peer}-{other}-{other is far}"
        suite.case(f"{way}: ADD_PROVIDER, GET_PROVIDERS",
                   lambda p=peer, o=other, n=name: check_providers(p, o, n))
        suite.case(f"{way}: PUT_VALUE, GET_VALUE",
                   lambda p=peer, o=other, n=name: check_record(p, o, n))
    for peer in (troupe, foreign):
        suite.case(f"{peer} looks for a record that nobody has", lambda p=peer: check_absent(p))


def node_cases(suite, kinds, kind):
    """The tool as users run it."""
    node = suite.start(kinds.node("--kad-protocol", KAD))
    foreign = suite.start(kinds.foreign(kind))
    suite.case(f"{kind} dials `troupe node`, pings it, and is in its table", lambda: (
        foreign.ask("dial", node.address), check_ping(foreign, node),
        node.wait("trace:identified", peer=foreign.id),
        node.wait("trace:kad_peer_added", peer=foreign.id)) and None)
    second = suite.start(kinds.node("--kad-protocol", KAD, "--bootstrap", foreign.address))
    suite.case(f"`troupe node` bootstraps by {kind} and finds the other", lambda: (
        second.wait("trace:kad_peer_added", peer=node.id),
        eventually(lambda: second.id in foreign.ask("kad-table")["peers"].split(","),
                   f"it is in the table of {kind}")) and None)


def pair(suite, kinds, kind):
    for dialer_is_ours in (True, False):
        suite.group(connection_cases, kinds, kind, dialer_is_ours)
    for group in (request_cases, time_cases, key_cases, kad_cases, node_cases, bulk_cases):
        suite.group(group, kinds, kind)
