# SPDX-License-Identifier: MIT
"""What is too long, too large or too much, and connections that nobody uses."""
import threading
import time

from driver import expect
from pairs import DIRECTIONS, OTHER_KIND, Pair

BEYOND_SECONDS = 60
KAMEO_IDLE_SECONDS = 10
# As bytes 0xff, which take two each on the wire: beyond 1 MiB as a request, 10 MiB as a reply.
LARGE_REQUEST = 600 * 1024
LARGE_REPLY = 6 * 1024 * 1024
MANY = 150  # more than the 100 requests that a connection carries at once
# Either side counts; one is the first.
TIMED_OUT = {"rust": ("NetworkTimeout", "Io"), "c": ("ETIMEDOUT", "ERESET")}
# What either side may be told instead of Kameo's defaults; ours has other names for the same.
OWN_STREAMS = 4
OWN_MANY = 10
OWN_LOAD = 3000  # bytes 0xff: more than 4000 on the wire
OWN_LIMITS = {"rust": ["request_timeout=1500", "request_bytes=4000", "response_bytes=4000",
                       f"streams={OWN_STREAMS}"],
              "c": ["request_timeout_ns=1500", "request_bytes=4000", "response_bytes=4000",
                    f"requests_per_connection={OWN_STREAMS}"]}
# By owner and asker, what a request and a reply come to that are too large. Kameo looks at what it
# reads alone, we at what we write, too.
TOO_LARGE = {("rust", "rust"): (None, "Io"), ("rust", "c"): ("ERESET", None),
             ("c", "rust"): ("Io", "SerializeReply"), ("c", "c"): ("ETOOBIG", "ETOOBIG")}


def still_works(pair, asker, answerer):
    pair.nodes[asker].ok(f"ask probe {pair.probes[answerer]} nap 1")


def ten_seconds(pair, asker, answerer, options):
    """No request outlives 10 s, whatever its own timeout. Both sides count; one is the first."""
    _, probe = pair.spawn(answerer)
    line = f"ask probe {probe} nap 60000{options}"
    began = time.monotonic()
    answer = pair.nodes[asker].finish(pair.nodes[asker].begin(line), BEYOND_SECONDS)
    took = time.monotonic() - began
    expect(answer.get("error") in TIMED_OUT[asker], f"{answer}")
    expect(took > 9.5, f"it took {took:.1f} s")
    still_works(pair, asker, answerer)


def large_request(pair, asker, answerer):
    """We refuse to send it; of what Kameo sends we read no more than the limit."""
    name = {"rust": "Io", "c": "ETOOBIG"}[asker]
    pair.nodes[asker].error(f"ask probe {pair.probes[answerer]} swallow {LARGE_REQUEST}", name)
    if answerer == "c":
        pair.nodes["c"].traced("request_failed", "ETOOBIG")
    still_works(pair, asker, answerer)


def large_reply(pair, asker, answerer):
    """We answer that we cannot; of what Kameo sends we read no more than the limit."""
    name = {"rust": "SerializeReply", "c": "ETOOBIG"}[asker]
    pair.nodes[asker].error(f"ask probe {pair.probes[answerer]} weigh {LARGE_REPLY}", name)
    still_works(pair, asker, answerer)


def ask_at_once(pair, asker, answerer, count, failures):
    """Asks an actor that is busy; so many of the asks fail."""
    node = pair.nodes[asker]
    alias, probe = pair.spawn(answerer, capacity=2 * count)
    node.ok(f"tell_ack probe {probe} nap 1000")
    pair.nodes[answerer].event("napping", actor=alias)
    begun = [node.begin(f"ask probe {probe} nap 0") for _ in range(count)]
    failed = [one for one in map(node.finish, begun) if "error" in one]
    expect(len(failed) == failures, f"{len(failed)} failed, not {failures}: {failed[:1]}")
    still_works(pair, asker, answerer)


def many_at_once(pair, asker, answerer):
    """Kameo fails what is beyond 100 at once; with us it waits for its turn."""
    ask_at_once(pair, asker, answerer, MANY, 0 if asker == "c" else MANY - 100)


def outcome(pair, asker, answerer, words):
    """The name of an ask's failure, or None."""
    node = pair.nodes[asker]
    return node.finish(node.begin(f"ask probe {pair.probes[answerer]} {words}")).get("error")


def own_limits(programs, owner, asker, answerer):
    """One side keeps to limits of its own, as asker and as answerer."""
    options = {"rust": ["idle=300000"], "c": []}
    options[owner] = options[owner] + OWN_LIMITS[owner]
    pair = Pair(programs, f"own-{owner}-{asker}", options=options)
    node = pair.nodes[asker]
    for words, wanted in zip((f"swallow {OWN_LOAD}", f"weigh {OWN_LOAD}"), TOO_LARGE[owner, asker]):
        error = outcome(pair, asker, answerer, words)
        expect(error == wanted, f"{words}: {error}, not {wanted}")
    began = time.monotonic()
    _, probe = pair.spawn(answerer)
    answer = node.finish(node.begin(f"ask probe {probe} nap 60000"))
    took = time.monotonic() - began
    expect(answer.get("error") in TIMED_OUT[asker] and 1.4 < took < 9, f"{answer}, {took:.1f} s")
    ask_at_once(pair, asker, answerer, OWN_MANY,
                0 if owner == asker == "c" else OWN_MANY - OWN_STREAMS)


class IdlePairs:
    """Pairs with Kameo's own idle timeout of 10 s: without links, and linked by either side."""

    def __init__(self, programs):
        plain = {"rust": [], "c": []}
        self.unlinked = Pair(programs, "idle-unlinked", options=plain)
        self.dialed = Pair(programs, "idle-dialed", dialer="rust", options=plain)
        self.linked = {linker: Pair(programs, f"idle-linked-{linker}", options=plain)
                       for linker in OTHER_KIND}

    def closes(self):
        """A connection that nobody uses is closed by Kameo, and made again when it is needed."""
        pair = self.unlinked
        for _ in range(2):
            for kind, node in pair.nodes.items():
                node.event("closed", peer=pair.nodes[OTHER_KIND[kind]].peer)
            still_works(pair, "c", "rust")

    def cannot_return(self):
        """Kameo keeps no address of whom it dialed, nor can we dial who only dialed us: the caller hears
        of that, and has to dial again."""
        pair = self.dialed
        still_works(pair, "rust", "c")
        pair.nodes["rust"].event("closed", peer=pair.nodes["c"].peer)
        for asker, answerer, wanted in (("rust", "c", "DialFailure"), ("c", "rust", "ENOADDRESS")):
            error = outcome(pair, asker, answerer, "nap 1")
            expect(error == wanted, f"{asker}: {error}")
        pair.nodes["rust"].ok(f"dial {pair.addresses['c']}")
        still_works(pair, "rust", "c")

    def stays(self, linker):
        """Over twice that time the linked pair has done nothing, and nobody died of it."""
        pair = self.linked[linker]
        actors = {kind: pair.spawn(kind) for kind in pair.nodes}
        if linker == "c":
            pair.nodes["c"].ok(f"by {actors['c'][0]} link probe {actors['rust'][1]}")
        else:
            pair.nodes["rust"].ok(f"link {actors['rust'][0]} probe {actors['c'][1]}")
        time.sleep(2 * KAMEO_IDLE_SECONDS + 1)  # time is the matter
        for kind, node in pair.nodes.items():
            expect(not node.said("closed"), f"{kind} closed the connection of a linked pair")
            expect(not node.said("link_died"), f"{kind} took idleness for a death")
        pair.nodes["c"].ok(f"kill {actors['c'][0]}")
        pair.nodes["rust"].event("link_died", actor=actors["rust"][0], reason="Killed")


def slow_cases(programs, report):
    """What takes its time by definition: all of it at once."""
    pair = Pair(programs, "slow")
    idle = IdlePairs(programs)
    cases = [("a connection idles, c asks again", idle.closes),
             ("a connection idles, rust asks again", idle.cannot_return)]
    cases += [(f"a pair linked by {linker} outlives Kameo's idle timeout of 10 s", idle.stays,
               linker) for linker in idle.linked]
    for asker, answerer in DIRECTIONS:
        for options, text in (("", ""), (" reply=30000", ", reply timeout of 30 s")):
            cases.append((f"{asker}->{answerer} 10 s limit of a request{text}", ten_seconds, pair,
                          asker, answerer, options))
    return [threading.Thread(target=report.run, args=case, kwargs={"decided": decided_of(case[0])})
            for case in cases]


def decided_of(name):
    return "D-007" if "outlives" in name else None


def run(programs, report):
    slow = slow_cases(programs, report)
    for thread in slow:
        thread.start()
    pair = Pair(programs, "limits")
    for asker, answerer in DIRECTIONS:
        way = f"{asker}->{answerer}"
        # Kameo cuts off what is too large, and its asker hears of a broken stream.
        report.run(f"{way} request over 1 MiB", large_request, pair, asker, answerer,
                   decided="D-018" if asker == "c" else None)
        report.run(f"{way} reply over 10 MiB", large_reply, pair, asker, answerer,
                   decided="D-018" if answerer == "c" else None)
        report.run(f"{way} {MANY} asks at once", many_at_once, pair, asker, answerer,
                   decided="D-024" if asker == "c" else None)
        for owner in OTHER_KIND:
            report.run(f"{way} limits of {owner}'s own", own_limits, programs, owner, asker,
                       answerer)
    for thread in slow:
        thread.join()
