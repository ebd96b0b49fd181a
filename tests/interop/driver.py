# SPDX-License-Identifier: MIT
"""Peers as processes that are told by lines what to do, and cases that are counted.

A peer reads `ID VERB ARG…` from standard input and prints `NAME key=value …`: `done` or `failed`
with the id of a command, or an event. What a Troupe node traces on standard error becomes events,
too, named `trace:NAME`.
"""
import collections
import ctypes
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback

PATIENCE = 30  # seconds for what takes milliseconds on an idle machine
PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None)
_FIELD = re.compile(r"(?:^| )([\w-]+)=")
_TRACE = re.compile(r"\d+\.\d+s n\d+ #\d+(?:<-\d+)? (?:ERROR|WARN|INFO|DEBUG) (\w+) ?(.*)")


def die_with_parent():
    """Has a child end with this test, however that ends; for preexec_fn."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Failed(Exception):
    """A case does not hold; also what a peer says of a command that came to nothing."""


class Skipped(Exception):
    """A case cannot be tried here; says why."""


Event = collections.namedtuple("Event", "name fields")


def parse_fields(text):
    pieces = _FIELD.split(text)
    return {pieces[i]: pieces[i + 1] for i in range(1, len(pieces) - 1, 2)}


def parse_event(line):
    name, _, rest = line.partition(" ")
    return Event(name, parse_fields(rest.strip()))


class Peer:
    """A process of any language; ends with this test, however that ends."""

    def __init__(self, kind, arguments, env=None):
        self.kind = kind
        self.arguments = arguments
        self.events = []
        self.noise = collections.deque(maxlen=40)  # the last lines that are no events
        self.changed = threading.Condition()
        self.ids = itertools.count(1)
        self.ended = False
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="replace", bufsize=1, env=env,
            preexec_fn=die_with_parent)
        self.readers = [threading.Thread(target=self._read_out, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _add(self, event):
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def _read_out(self):
        for line in self.process.stdout:
            # `troupe node` prints its address as a bare word.
            words = line.split()
            if len(words) == 2 and words[0] == "listening" and "=" not in words[1]:
                line = f"listening address={words[1]}"
            self._add(parse_event(line.rstrip("\n")))
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _read_errors(self):
        for line in self.process.stderr:
            traced = _TRACE.match(line)
            if traced:
                name, rest = traced.groups()
                self._add(Event("trace:" + name, parse_fields(rest.rstrip("\n"))))
            else:
                self.noise.append(line.rstrip("\n"))

    def __str__(self):
        return self.kind

    # ---- what happened ----

    def mark(self):
        """A place in the stream of events; give it to wait() to hear only of what is later."""
        with self.changed:
            return len(self.events)

    def wait(self, name, after=0, seconds=PATIENCE, check=None, **fields):
        """Waits for an event of that name, those fields and that `check` holds for."""
        end = time.monotonic() + seconds
        at = after
        with self.changed:
            while True:
                while at < len(self.events):
                    event = self.events[at]
                    at += 1
                    if (event.name == name and (check is None or check(event.fields)) and
                            all(event.fields.get(k) == v for k, v in fields.items())):
                        return event.fields
                left = end - time.monotonic()
                if self.ended and self.process.poll() is not None:
                    raise Failed(f"{self.kind} ended with {self.process.returncode} before "
                                 f"{name} {fields or ''}: {self.said()}")
                if left <= 0:
                    raise Failed(f"{self.kind} never said {name} {fields or ''}: {self.said()}")
                self.changed.wait(min(left, 1))

    def seen(self, name, after=0, **fields):
        with self.changed:
            return [event.fields for event in self.events[after:] if event.name == name and
                    all(event.fields.get(k) == v for k, v in fields.items())]

    def said(self):
        recent = [" ".join([event.name, *(f"{k}={v[:40]}" for k, v in event.fields.items())])
                  for event in self.events if event.name != "trace:command_done"]
        return "\n        ".join(["", *list(self.noise)[-6:], *recent[-6:]])

    # ---- commands ----

    def tell(self, *words):
        """Gives a command; gives the id that its answer carries."""
        name = str(next(self.ids))
        try:
            self.process.stdin.write(" ".join([name, *map(str, words)]) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.kind} is gone: {self.said()}") from None
        return name

    def answer(self, name, seconds=PATIENCE):
        """Waits for the answer to a command; raises Failed when it came to nothing."""
        end = time.monotonic() + seconds
        at = 0
        with self.changed:
            while True:
                while at < len(self.events):
                    event = self.events[at]
                    at += 1
                    if event.fields.get("id") == name and event.name == "done":
                        return event.fields
                    if event.fields.get("id") == name and event.name == "failed":
                        raise Failed(f"{self.kind}: {event.fields.get('why')}")
                left = end - time.monotonic()
                if left <= 0 or (self.ended and self.process.poll() is not None):
                    raise Failed(f"{self.kind} did not answer: {self.said()}")
                self.changed.wait(min(left, 1))

    def ask(self, *words, seconds=PATIENCE):
        return self.answer(self.tell(*words), seconds)

    # ---- the process ----

    def listening(self):
        """Waits until it listens; knows its address and name from then on."""
        self.address = self.wait("listening")["address"]
        self.id = self.address.split("/p2p/")[1]
        return self

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it in good order. Gives its exit code; None when it had to be killed."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        if self.kind == "node":
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        for reader in self.readers:
            reader.join(10)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()


def eventually(check, what, seconds=PATIENCE):
    """Looks again until check() gives something; for what a peer can be asked but does not say."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Suite:
    """Prints a line for each case, and the sums."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.filter = os.environ.get("INTEROP_ONLY", "")  # a part of the names of cases to run
        self.peers = []

    def start(self, peer):
        self.peers.append(peer)
        return peer.listening()

    def stop_peers(self):
        """Ends every peer of a group of cases; a Troupe node that ends badly is a failed case."""
        for peer in self.peers:
            code = peer.stop()
            if peer.kind in ("troupe", "node") and code != 0:
                self.failed += 1
                print(f"FAILED  a {peer.kind} peer ended with {code}: {peer.said()}", flush=True)
        self.peers = []

    def stop_peers_but(self, *kept):
        peers, self.peers = self.peers, [peer for peer in self.peers if peer not in kept]
        self.stop_peers()
        self.peers = [peer for peer in peers if peer in kept]

    def case(self, name, body, needed=False):
        """Tries a case and counts it. A needed one is a step for others: run whatever is chosen."""
        if self.filter not in name and not needed:
            return
        began = time.monotonic()
        try:
            note = body()
        except Skipped as why:
            self.skip(name, why)
            return
        except Exception as error:  # whatever goes wrong in a case fails it, and no other
            self.failed += 1
            said = error if isinstance(error, Failed) else traceback.format_exc()
            print(f"FAILED  {name} ({time.monotonic() - began:.1f} s): {said}", flush=True)
            return
        self.passed += 1
        print(f"ok      {name}{'  ' + str(note) if note else ''}", flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)

    def group(self, body, *arguments):
        """Runs cases that share peers; what keeps them all from running is a failure."""
        try:
            body(self, *arguments)
        except Exception as error:
            self.failed += 1
            said = error if isinstance(error, Failed) else traceback.format_exc()
            print(f"FAILED  {body.__name__}: {said}", flush=True)
        finally:
            self.stop_peers()

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)


def expect(condition, text):
    if not condition:
        raise Failed(text)
