# SPDX-License-Identifier: MIT
"""libp2p's transport interoperability suite in small: each kind dials each, met at a Redis server.

The programs are told by the environment alone, as the suite's own runner tells them.
"""
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile

import driver
from driver import Failed, eventually, expect

TIMEOUT_SECONDS = "30"


class Redis:
    """A server of our own, on a port of its own, that keeps nothing."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
             "--appendonly", "no", "--dir", self.scratch.name], stdout=subprocess.DEVNULL,
            preexec_fn=driver.die_with_parent)
        eventually(lambda: self.say("PING") == "+PONG", "redis answers")

    def say(self, *words):
        """One command; gives the first line of the answer, or None while nobody listens."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                connection.sendall(request.encode())
                return connection.makefile().readline().strip()
        except ConnectionRefusedError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.scratch.cleanup()


def environment(redis, dials, **changes):
    return {**os.environ, "transport": "tcp", "security": "noise", "muxer": "yamux",
            "ip": "127.0.0.1", "is_dialer": "true" if dials else "false",
            "redis_addr": f"127.0.0.1:{redis.port}", "test_timeout_seconds": TIMEOUT_SECONDS,
            **changes}


def start(program, redis, dials, **changes):
    return subprocess.Popen(program, env=environment(redis, dials, **changes), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=driver.die_with_parent)


def check_pair(redis, dialer, listener, **changes):
    redis.say("FLUSHALL")
    listening = start(listener, redis, False, **changes)
    dialing = start(dialer, redis, True, **changes)
    try:
        said, errors = dialing.communicate(timeout=float(TIMEOUT_SECONDS) + 15)
        expect(listening.poll() is None, f"the listener ended with {listening.poll()}")
    except subprocess.TimeoutExpired:
        raise Failed("the dialer did not end in time") from None
    finally:
        dialing.kill()
        listening.kill()
        _, listener_errors = listening.communicate()
    expect(dialing.returncode == 0, f"exit code {dialing.returncode}: {errors[-500:]} | "
                                    f"the listener: {listener_errors[-500:]}")
    result = json.loads(said)
    expect(set(result) == {"handshakePlusOneRTTMillis", "pingRTTMilllis"}, f"it printed {said}")
    handshake, ping = result["handshakePlusOneRTTMillis"], result["pingRTTMilllis"]
    expect(handshake >= ping >= 0, f"it printed {said}")
    return f"{handshake:.1f} ms, ping {ping:.2f} ms"


def check_unsupported(redis, program, name, value):
    process = start(program, redis, True, **{name: value})
    _, errors = process.communicate(timeout=15)
    expect(process.returncode == 1, f"exit code {process.returncode}")
    expect(value in errors, f"it said {errors!r}")


def check_nobody(redis, program):
    redis.say("FLUSHALL")
    process = start(program, redis, True, test_timeout_seconds="1")
    process.communicate(timeout=15)
    expect(process.returncode == 1, f"exit code {process.returncode}")


def run(suite, kinds, program):
    if shutil.which("redis-server") is None:
        return "redis-server is not installed"
    programs = {"troupe": [program]}
    absent = []
    for kind, words in kinds.programs.items():
        if kinds.missing(kind):
            absent.append(f"{kind}: {kinds.missing(kind)}")
        else:
            programs[kind] = [*words, "--transport"]
    redis = Redis()
    try:
        for dialer, listener in itertools.product(programs, programs):
            if "troupe" in (dialer, listener):
                suite.case(f"{dialer} dials {listener}",
                           lambda d=dialer, l=listener: check_pair(redis, programs[d], programs[l]))
        suite.case("troupe dials troupe on every interface",
                   lambda: check_pair(redis, [program], [program], ip="0.0.0.0"))
        for name, value in (("transport", "quic-v1"), ("security", "tls"), ("muxer", "mplex")):
            suite.case(f"{name}={value} is refused",
                       lambda n=name, v=value: check_unsupported(redis, [program], n, v))
        suite.case("nobody to dial: the time ends", lambda: check_nobody(redis, [program]))
    finally:
        redis.stop()
    for why in absent:
        suite.skip("with a peer", why)
    return None
