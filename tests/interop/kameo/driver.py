# SPDX-License-Identifier: MIT
"""Starts nodes of both kinds, tells them what to do, waits for what they say, and counts cases."""
import ctypes
import json
import os
import signal
import subprocess
import threading
import time
import traceback

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
PATIENCE_SECONDS = 30
PR_SET_PDEATHSIG = 1

# What each kind of node calls the same failure.
STATUS_OF = {
    "ActorNotRunning": "EDEAD",
    "ActorStopped": "ESTOPPED",
    "UnknownActor": "EUNKNOWNACTOR",
    "UnknownMessage": "EUNKNOWNMESSAGE",
    "BadActorType": "EBADTYPE",
    "MailboxFull": "EMAILBOXFULL",
    "ReplyTimeout": "EREPLYTIMEOUT",
    "HandlerError": "EHANDLER",
    "DeserializeMessage": "EDECODE",
    "NetworkTimeout": "ETIMEDOUT",
    "UnsupportedProtocols": "ENEGOTIATION",
}


class Failed(Exception):
    """A case did not go as it must."""


class NotApplicable(Exception):
    """This version of Kameo, or what it puts on the wire, leaves a case nothing to show."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


def until(check, seconds, text):
    """Waits for what announces itself to nobody."""
    end = time.monotonic() + seconds
    while not check():
        expect(time.monotonic() < end, text)
        time.sleep(0.1)


class Node:
    """A process that takes lines and gives lines; it ends with this test, however that ends."""

    def __init__(self, kind, name, command, logs, prefix=()):
        self.kind = kind
        self.name = name
        self.log = open(os.path.join(logs, name + ".log"), "w", encoding="utf-8")
        libc = ctypes.CDLL(None)
        self.process = subprocess.Popen(
            [*prefix, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            text=True, preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.changed = threading.Condition()
        self.answers = {}
        self.events = []
        self.ended = False
        self.tag = 0
        threading.Thread(target=self.read, daemon=True).start()
        self.peer = self.event("ready")["peer"]

    def read(self):
        for line in self.process.stdout:
            self.log.write(line)
            if not line.endswith("\n"):
                break  # it ended in the middle of saying it
            with self.changed:
                said = json.loads(line)
                if "tag" in said:
                    self.answers[said["tag"]] = said
                else:
                    self.events.append(said)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, look, seconds, what):
        """Waits until `look` gives something."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = look()
                if found is not None:
                    return found
                expect(not self.ended, f"{self.name} ended while it was to say: {what}")
                left = end - time.monotonic()
                expect(left > 0, f"{self.name} did not say within {seconds} s: {what}")
                self.changed.wait(left)

    def begin(self, line):
        """Gives an order; finish() has its outcome."""
        with self.changed:
            self.tag += 1
            tag = str(self.tag)
        try:
            self.process.stdin.write(f"{tag} {line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name} is gone, and was to {line}") from None
        return tag, line

    def finish(self, begun, seconds=PATIENCE_SECONDS):
        tag, line = begun
        return self.wait(lambda: self.answers.pop(tag, None), seconds, f"the outcome of {line}")

    def ok(self, line, seconds=PATIENCE_SECONDS):
        answer = self.finish(self.begin(line), seconds)
        expect("error" not in answer, f"{self.name}: {line}: {answer}")
        return answer["ok"]

    def error(self, line, name, seconds=PATIENCE_SECONDS):
        """Wants a failure, by Kameo's name or a name that only this kind of node has."""
        answer = self.finish(self.begin(line), seconds)
        self.is_error(answer, name, line)
        return answer

    def is_error(self, answer, name, line):
        wanted = STATUS_OF.get(name, name) if self.kind in ("c", "bare") else name
        expect(answer.get("error") == wanted, f"{self.name}: {line}: {answer}, not {wanted}")

    def event(self, name, seconds=PATIENCE_SECONDS, **wanted):
        """Waits for an event and takes it, also one that came before."""
        def look():
            for index, event in enumerate(self.events):
                if event["event"] == name and all(event.get(k) == v for k, v in wanted.items()):
                    return self.events.pop(index)
            return None
        return self.wait(look, seconds, f"{name} {wanted}")

    def traced(self, name, *texts, seconds=PATIENCE_SECONDS):
        """Waits for a trace event whose line has all of `texts`."""
        def look():
            for event in self.events:
                if event.get("name") == name and all(text in event["line"] for text in texts):
                    return event["line"]
            return None
        return self.wait(look, seconds, f"trace {name} {texts}")

    def said(self, name, **wanted):
        """Says whether an event came that was not taken."""
        with self.changed:
            return any(event["event"] == name and
                       all(event.get(k) == v for k, v in wanted.items())
                       for event in self.events)

    def listen(self, address=LOOPBACK):
        return self.ok(f"listen {address}")

    def end(self):
        """Lets the node leave; gives its exit code."""
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()


class Programs:
    """Where the kinds of node come from; `version` is Kameo's, as numbers."""

    def __init__(self, version, rust, c, hostile, logs):
        self.version = tuple(map(int, version.split(".")))
        bare = os.path.join(os.path.dirname(c), "interop_kameo_bare")
        self.paths = {"rust": [rust, "node"], "c": [c], "bare": [bare], "hostile": [hostile]}
        self.logs = logs
        self.started = []
        self.lock = threading.Lock()

    def start(self, kind, name, *options, prefix=()):
        node = Node(kind, name, [*self.paths[kind], *options], self.logs, prefix)
        with self.lock:
            self.started.append(node)
        return node

    def end(self):
        """Ends every node; gives those that ended badly by themselves."""
        bad = []
        for node in self.started:
            killed = node.process.poll() == -signal.SIGKILL
            if node.end() != 0 and not killed:
                bad.append(f"{node.name} exited with {node.process.returncode}")
        return bad


class Report:
    """One line per case, and the counts. A case is decided differently when it shows what we do on
    purpose in another way than Kameo does; its line names the decision."""

    def __init__(self):
        self.counts = {"passed": 0, "decided differently": 0, "not applicable": 0, "failed": 0,
                       "skipped": 0}
        self.lock = threading.Lock()

    def run(self, name, case, *arguments, decided=None):
        try:
            case(*arguments)
            self.add(name, None, decided)
        except Failed as failed:
            self.add(name, str(failed))
        except NotApplicable as why:
            self.count("not applicable", f"not applicable - {name}: {why}")
        except Exception:  # a defect of the test counts as a failure of the case
            self.add(name, traceback.format_exc())

    def add(self, name, failure, decided=None):
        if failure is not None:
            self.count("failed", f"not ok - {name}: {failure}")
        elif decided is not None:
            self.count("decided differently", f"ok - {name} ({decided})")
        else:
            self.count("passed", f"ok - {name}")

    def skip(self, name, why):
        self.count("skipped", f"skipped - {name}: {why}")

    def count(self, outcome, line):
        with self.lock:
            self.counts[outcome] += 1
            print(line, flush=True)

    def close(self):
        print(", ".join(f"{count} {outcome}" for outcome, count in self.counts.items()), flush=True)
        return 1 if self.counts["failed"] > 0 or self.counts["passed"] == 0 else 0
