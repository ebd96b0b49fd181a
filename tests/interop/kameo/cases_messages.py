# SPDX-License-Identifier: MIT
"""Asks and tells: what they carry, and every way in which they fail."""
import json

import wire
from driver import NotApplicable, expect, until
from pairs import DIRECTIONS, Pair, serial

PAYLOADS = ("nil", "unit_struct", "empty_struct", "struct", "newtype", "text", "tuple", "option",
            "list", "map", "bytes", "integers", "floats", "enum", "enums", "nested", "empty")
# What the messages of one actor to a remote one must carry, by the smaller of both limits.
LARGE = 400 * 1024


def ask_payload(pair, asker, answerer, payload):
    """Both sides compare with the sample: what arrives as message, and what comes back."""
    words = f"probe {pair.probes[answerer]} {payload}"
    pair.nodes[asker].ok(pair.ask(asker, words))


def ask_large_request(pair, asker, answerer):
    size = pair.nodes[asker].ok(pair.ask(asker, f"probe {pair.probes[answerer]} swallow {LARGE}"))
    expect(size == LARGE, f"{size} bytes arrived")


def ask_large_reply(pair, asker, answerer):
    reply = pair.nodes[asker].ok(pair.ask(asker, f"probe {pair.probes[answerer]} weigh {LARGE}"))
    expect(reply == {"bytes": LARGE, "intact": True}, f"{reply}")


def ask_empty(pair, asker, answerer):
    size = pair.nodes[asker].ok(pair.ask(asker, f"probe {pair.probes[answerer]} swallow 0"))
    expect(size == 0, f"{size} bytes arrived")
    reply = pair.nodes[asker].ok(pair.ask(asker, f"probe {pair.probes[answerer]} weigh 0"))
    expect(reply == {"bytes": 0, "intact": True}, f"{reply}")


def tell(pair, asker, answerer):
    line = f"tell probe {pair.probes[answerer]} note told"
    pair.nodes[asker].ok(line if asker == "rust" else f"by boss {line}")
    pair.nodes[answerer].event("note", actor="boss", text="told")


def tell_acknowledged(pair, asker, answerer):
    pair.nodes[asker].ok(f"tell_ack probe {pair.probes[answerer]} note acknowledged")
    pair.nodes[answerer].event("note", actor="boss", text="acknowledged")


def ask_as_command(pair, asker, answerer):
    """From outside the actors; in Rust there is no difference."""
    slept = pair.nodes[asker].ok(f"ask probe {pair.probes[answerer]} nap 1")
    expect(slept == 1, f"{slept}")


def tell_acknowledged_by_actor(pair, asker, answerer):
    """From inside an actor of ours; in Rust there is no difference."""
    line = f"tell_ack probe {pair.probes[answerer]} note inside"
    pair.nodes[asker].ok(line if asker == "rust" else f"by boss {line}")
    pair.nodes[answerer].event("note", actor="boss", text="inside")


def enqueue(pair, asker, answerer):
    slept = pair.nodes[asker].ok(pair.ask(asker, f"probe {pair.probes[answerer]} nap 20 enqueue"))
    expect(slept == 20, f"{slept}")


def enqueue_is_tried(pair, asker, answerer):
    """Without a mailbox timeout of its own ours is a try, Kameo's when it says so."""
    _, probe = napper(pair, asker, answerer)
    option = "enqueue try" if asker == "rust" else "enqueue"
    line = pair.ask(asker, f"probe {probe} nap 0 {option}")
    pair.nodes[asker].error(line, "MailboxFull")


def tell_is_tried(pair, asker, answerer):
    """Nobody hears that the mailbox was full."""
    if asker == "c":
        raise NotApplicable("a try of ours is acknowledged")
    alias, probe = pair.spawn(answerer, capacity=1)
    pair.nodes[asker].ok(f"tell_ack probe {probe} nap 400")
    pair.nodes[answerer].event("napping", actor=alias)
    pair.nodes[asker].ok(f"tell_ack probe {probe} note kept")
    pair.nodes[asker].ok(f"tell probe {probe} note lost try")
    pair.nodes[answerer].event("note", actor=alias, text="kept")
    pair.nodes[asker].ok(f"ask probe {probe} nap 0")
    expect(not pair.nodes[answerer].said("note", actor=alias), "it waited for room")


def meet(pair, asker, answerer):
    """A reference travels in a message and one in its reply; both work where they arrive."""
    met = pair.nodes[asker].ok(
        pair.ask(asker, f"probe {pair.probes[answerer]} meet {pair.probes[asker]}"))
    pair.nodes[asker].event("note", actor="boss", text="met by boss")
    expect(met == pair.probes[answerer], f"met {met}")


def handler_error(pair, asker, answerer):
    answer = pair.nodes[asker].error(f"ask probe {pair.probes[answerer]} fail 7", "HandlerError")
    text = answer["text"]
    shown = json.dumps(text) if isinstance(text, dict) else text
    expect("7" in shown and "as wished" in shown, f"the error says {shown}")


def handler_panic(pair, asker, answerer):
    _, probe = pair.spawn(answerer)
    pair.nodes[asker].error(f"ask probe {probe} panic", "ActorStopped")


def tell_that_fails(pair, asker, answerer):
    """The teller hears nothing of it: the message arrived."""
    alias, probe = pair.spawn(answerer)
    pair.nodes[asker].ok(f"tell_ack probe {probe} fail 1")
    pair.nodes[answerer].event("stopped", actor=alias, reason="Panicked")


def unknown_actor(pair, asker, answerer):
    """No actor of such a type is known there; Kameo looks for the message first."""
    pair.nodes[asker].error(f"ask phantom {pair.probes[answerer]} nap 0", "UnknownMessage")
    pair.nodes[asker].error(f"tell_ack phantom {pair.probes[answerer]} nap 0", "UnknownMessage")


def unknown_message(pair, asker, answerer):
    pair.nodes[asker].error(f"ask stranger {pair.probes[answerer]} juggle", "UnknownMessage")
    pair.nodes[asker].error(f"tell_ack stranger {pair.probes[answerer]} juggle", "UnknownMessage")


def bad_type(pair, asker, answerer):
    pair.nodes[asker].error(f"ask other {pair.probes[answerer]} nap 0", "BadActorType")
    pair.nodes[asker].error(f"tell_ack other {pair.probes[answerer]} nap 0", "BadActorType")


def undecodable(pair, asker, answerer):
    pair.nodes[asker].error(f"ask stranger {pair.probes[answerer]} nap", "DeserializeMessage")
    pair.nodes[asker].error(f"tell_ack stranger {pair.probes[answerer]} nap", "DeserializeMessage")


def other_reply(pair, asker, answerer):
    """What comes back is not of the type that the asker takes it for."""
    pair.nodes[asker].error(f"ask stranger {pair.probes[answerer]} note x", "DeserializeMessage")
    if asker == "rust":
        pair.nodes["rust"].error(f"ask stranger {pair.probes[answerer]} fail",
                                 "DeserializeHandlerError")


def is_forgotten(pair, asker, dead):
    """A Kameo node knows a dead actor's type for a moment yet, after the actor's last word."""
    node = pair.nodes[asker]
    answer = node.finish(node.begin(f"ask other {dead} nap 0"))
    return answer.get("error") not in ("BadActorType", "EBADTYPE")


def order_of_errors(pair, asker, answerer):
    """Of two things that are wrong with a message, both kinds of node name the same."""
    alias, dead = pair.spawn(answerer)
    pair.nodes[answerer].ok(f"kill {alias}")
    pair.nodes[answerer].event("stopped", actor=alias)
    until(lambda: is_forgotten(pair, asker, dead), 5, "a dead actor is still told by its type")
    for words, name in ((f"stranger {dead} juggle", "UnknownMessage"),
                        (f"stranger {dead} nap", "ActorNotRunning"),
                        (f"other {dead} nap 0", "ActorNotRunning")):
        pair.nodes[asker].error(f"ask {words}", name)
    _, full = napper(pair, asker, answerer)
    pair.nodes[asker].error(f"ask stranger {full} nap try", "DeserializeMessage")
    pair.nodes[asker].error(f"ask other {full} nap 0 try", "BadActorType")


def dead_actor(pair, asker, answerer):
    for verb in ("stop", "kill"):
        alias, probe = pair.spawn(answerer)
        pair.nodes[answerer].ok(f"{verb} {alias}")
        pair.nodes[answerer].event("stopped", actor=alias)
        pair.nodes[asker].error(f"ask probe {probe} nap 0", "ActorNotRunning")
        pair.nodes[asker].error(f"tell_ack probe {probe} note late", "ActorNotRunning")


def stops_before_reply(pair, asker, answerer):
    """An ask that waits for its reply ends with the actor."""
    alias, probe = pair.spawn(answerer)
    asked = pair.nodes[asker].begin(f"ask probe {probe} nap 60000")
    pair.nodes[answerer].event("napping", actor=alias)
    pair.nodes[answerer].ok(f"kill {alias}")
    pair.nodes[asker].is_error(pair.nodes[asker].finish(asked), "ActorStopped", asked[1])


def napper(pair, asker, answerer):
    """An actor in the middle of a long message, with a full mailbox of one."""
    alias, probe = pair.spawn(answerer, capacity=1)
    pair.nodes[asker].ok(f"tell_ack probe {probe} nap 60000")
    pair.nodes[answerer].event("napping", actor=alias)
    pair.nodes[asker].ok(f"tell_ack probe {probe} note waits")
    return alias, probe


def mailbox_full(pair, asker, answerer):
    _, probe = napper(pair, asker, answerer)
    pair.nodes[asker].error(f"ask probe {probe} nap 0 try", "MailboxFull")
    pair.nodes[asker].error(f"tell_ack probe {probe} note no try", "MailboxFull")


def mailbox_timeout(pair, asker, answerer):
    """Kameo answers with one name for both timeouts, we with what it was."""
    _, probe = napper(pair, asker, answerer)
    name = {"rust": "ReplyTimeout", "c": "MailboxFull"}[answerer]
    pair.nodes[asker].error(f"ask probe {probe} nap 0 mailbox=50", name)
    pair.nodes[asker].error(f"tell_ack probe {probe} note no mailbox=50", name)


def mailbox_waits(pair, asker, answerer):
    """A message with a mailbox timeout waits for room, and gets it."""
    alias, probe = pair.spawn(answerer, capacity=1)
    pair.nodes[asker].ok(f"tell_ack probe {probe} nap 200")
    pair.nodes[answerer].event("napping", actor=alias)
    pair.nodes[asker].ok(f"tell_ack probe {probe} note first")
    pair.nodes[asker].ok(f"tell_ack probe {probe} note second mailbox=9000")
    pair.nodes[answerer].event("note", actor=alias, text="first")
    pair.nodes[answerer].event("note", actor=alias, text="second")


def reply_timeout(pair, asker, answerer):
    _, probe = pair.spawn(answerer)
    pair.nodes[asker].error(f"ask probe {probe} nap 5000 reply=100", "ReplyTimeout")


# ---- nobody who answers ----


def other_node(pair, asker, answerer):
    """A pair of its own: the answerer comes to harm."""
    return Pair(pair.programs, f"harmed{next(serial)}-{answerer}")


def never_heard_of(pair, asker, answerer):
    """Of the peer of an id nobody knows an address; ours says which of the two it is."""
    nobody = wire.actor_id(0, "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A").hex()
    name = {"rust": "DialFailure", "c": "ENOADDRESS"}[asker]
    pair.nodes[asker].error(f"ask probe {nobody} nap 0", name)
    pair.nodes[asker].error(f"tell_ack probe {nobody} nap 0", name)


def gone_before(pair, asker, answerer):
    pair = other_node(pair, asker, answerer)
    pair.nodes[answerer].kill()
    pair.nodes[asker].event("closed", peer=pair.nodes[answerer].peer)
    name = {"rust": "DialFailure", "c": "EREFUSED"}[asker]
    pair.nodes[asker].error(f"ask probe {pair.probes[answerer]} nap 0", name)


def gone_meanwhile(pair, asker, answerer):
    """The stream ends with its connection; one of both is seen first."""
    pair = other_node(pair, asker, answerer)
    asked = pair.nodes[asker].begin(pair.ask(asker, f"probe {pair.probes[answerer]} nap 60000"))
    pair.nodes[answerer].event("napping", actor="boss")
    pair.nodes[answerer].kill()
    answer = pair.nodes[asker].finish(asked)
    names = {"rust": ("ConnectionClosed", "Io"), "c": ("ECLOSED", "ERESET")}[asker]
    expect(answer.get("error") in names, f"{answer}")


def no_kameo(pair, asker, answerer):
    """A libp2p peer that does not speak Kameo's protocol."""
    other = pair.programs.start("hostile", f"messages-mute-{asker}")
    other.ok(f"dial {pair.addresses[asker]}")
    pair.nodes[asker].event("connected", peer=other.peer)
    actor = wire.actor_id(0, other.peer).hex()
    pair.nodes[asker].error(f"ask probe {actor} nap 0", "UnsupportedProtocols")
    pair.nodes[asker].error(f"tell_ack probe {actor} nap 0", "UnsupportedProtocols")


def default_ids(pair):
    """What the macros make of names that nobody gave an id, and what our helper makes of them."""
    made = pair.nodes["rust"].ok("default_ids")
    ours = pair.nodes["c"].ok(f"kameo_id {' '.join(made['names'])}")
    expect(ours == made["message"], f"{ours} of {made}")


CASES = {
    "ask from outside": ask_as_command,
    "ask empty": ask_empty,
    "ask 400 KiB request": ask_large_request,
    "ask 400 KiB reply": ask_large_reply,
    "tell": tell,
    "tell acknowledged": tell_acknowledged,
    "tell acknowledged, from an actor": tell_acknowledged_by_actor,
    "ask enqueued": enqueue,
    "ask enqueued, a try": enqueue_is_tried,
    "tell, a try": tell_is_tried,
    "references in message and reply": meet,
    "handler error": handler_error,
    "handler panic": handler_panic,
    "tell that fails": tell_that_fails,
    "unknown actor": unknown_actor,
    "unknown message": unknown_message,
    "bad type": bad_type,
    "undecodable message": undecodable,
    "reply of another type": other_reply,
    "order of errors": order_of_errors,
    "dead actor": dead_actor,
    "stops before reply": stops_before_reply,
    "full mailbox": mailbox_full,
    "mailbox timeout": mailbox_timeout,
    "mailbox waits": mailbox_waits,
    "reply timeout": reply_timeout,
    "peer never heard of": never_heard_of,
    "peer gone before": gone_before,
    "peer gone meanwhile": gone_meanwhile,
    "peer without Kameo's protocol": no_kameo,
}
# By the direction: asker, answerer.
DECIDED = {("mailbox timeout", "c"): "D-018"}


def run(programs, report):
    pair = Pair(programs, "messages")
    report.run("ids that Kameo's macros make", default_ids, pair)
    for asker, answerer in DIRECTIONS:
        way = f"{asker}->{answerer}"
        for payload in PAYLOADS:
            report.run(f"{way} ask {payload}", ask_payload, pair, asker, answerer, payload)
        for name, case in CASES.items():
            report.run(f"{way} {name}", case, pair, asker, answerer,
                       decided=DECIDED.get((name, answerer)))
