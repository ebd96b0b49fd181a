# SPDX-License-Identifier: MIT
"""What is too long, too large or too much, and connections that nobody uses."""
import threading
import time

from driver import expect
from pairs import DIRECTIONS, OTHER_KIND, Pair

BEYOND_SECONDS = 60
# As bytes 0xff, which take two each on the wire: beyond 1 MiB as a request, 10 MiB as a reply.
LARGE_REQUEST = 600 * 1024
LARGE_REPLY = 6 * 1024 * 1024
MANY = 150  # more than the 100 requests that a connection carries at once


def still_works(pair, asker, answerer):
    pair.nodes[asker].ok(f"ask probe {pair.probes[answerer]} nap 1")


def ten_seconds(pair, asker, answerer, options):
    """No request outlives 10 s, whatever its own timeout. Both sides count; one is the first."""
    _, probe = pair.spawn(answerer)
    line = f"ask probe {probe} nap 60000{options}"
    began = time.monotonic()
    answer = pair.nodes[asker].finish(pair.nodes[asker].begin(line), BEYOND_SECONDS)
    took = time.monotonic() - began
    names = {"rust": ("NetworkTimeout", "Io"), "c": ("ETIMEDOUT", "ERESET")}[asker]
    expect(answer.get("error") in names, f"{answer}")
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


def many_at_once(pair, asker, answerer):
    """Kameo fails what is beyond 100 at once; with us it waits for its turn."""
    node = pair.nodes[asker]
    alias, probe = pair.spawn(answerer, capacity=2 * MANY)
    node.ok(f"tell_ack probe {probe} nap 1000")
    pair.nodes[answerer].event("napping", actor=alias)
    begun = [node.begin(f"ask probe {probe} nap 0") for _ in range(MANY)]
    answers = [node.finish(one) for one in begun]
    failed = [answer for answer in answers if "error" in answer]
    if asker == "c":
        expect(not failed, f"{len(failed)} failed: {failed[:1]}")
    else:
        expect(len(failed) == MANY - 100, f"{len(failed)} of {MANY} failed")
    still_works(pair, asker, answerer)


class IdlePairs:
    """Two pairs with Kameo's own idle timeout of 10 s: one without links, one with."""

    def __init__(self, programs):
        plain = {"rust": [], "c": []}
        self.unlinked = Pair(programs, "idle-unlinked", options=plain)
        self.linked = Pair(programs, "idle-linked", options=plain)

    def closes(self):
        """A connection that nobody uses is closed by Kameo, and made again when it is needed."""
        pair = self.unlinked
        for _ in range(2):
            for kind, node in pair.nodes.items():
                node.event("closed", peer=pair.nodes[OTHER_KIND[kind]].peer)
            still_works(pair, "c", "rust")

    def stays(self):
        """Over both of those times the linked pair has done nothing, and nobody died of it."""
        pair = self.linked
        actors = {kind: pair.spawn(kind) for kind in pair.nodes}
        pair.nodes["c"].ok(f"by {actors['c'][0]} link probe {actors['rust'][1]}")
        self.closes()
        for kind, node in pair.nodes.items():
            expect(not node.said("closed"), f"{kind} closed the connection of a linked pair")
            expect(not node.said("link_died"), f"{kind} took idleness for a death")
        pair.nodes["c"].ok(f"kill {actors['c'][0]}")
        pair.nodes["rust"].event("link_died", actor=actors["rust"][0], reason="Killed")


def slow_cases(programs, report):
    """What takes its time by definition: all of it at once."""
    pair = Pair(programs, "slow")
    idle = IdlePairs(programs)
    cases = [("a linked pair outlives Kameo's idle timeout of 10 s", idle.stays)]
    for asker, answerer in DIRECTIONS:
        for options, text in (("", ""), (" reply=30000", ", reply timeout of 30 s")):
            cases.append((f"{asker}->{answerer} 10 s limit of a request{text}", ten_seconds, pair,
                          asker, answerer, options))
    return [threading.Thread(target=report.run, args=case) for case in cases]


def run(programs, report):
    slow = slow_cases(programs, report)
    for thread in slow:
        thread.start()
    pair = Pair(programs, "limits")
    for asker, answerer in DIRECTIONS:
        way = f"{asker}->{answerer}"
        report.run(f"{way} request over 1 MiB", large_request, pair, asker, answerer)
        report.run(f"{way} reply over 10 MiB", large_reply, pair, asker, answerer)
        report.run(f"{way} {MANY} asks at once", many_at_once, pair, asker, answerer)
    for thread in slow:
        thread.join()
