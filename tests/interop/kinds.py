# SPDX-License-Identifier: MIT
"""The kinds of peers, how each is started, and what it lacks."""
import os
import shutil

import driver

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "target", "debug")

KAD = "/troupe/interop/kad/1.0.0"


class Kinds:
    def __init__(self, troupe, troupe_peer):
        self.troupe = troupe
        self.troupe_peer = troupe_peer
        self.programs = {
            "go": [os.path.join(HERE, "go", "bin", "peer")],
            "js": ["node", "--no-warnings", os.path.join(HERE, "js", "peer.mjs")],
            "rust-0.56": [os.path.join(TARGET, "libp2p-0_56")],
            "rust-latest": [os.path.join(TARGET, "libp2p-latest")],
        }

    def missing(self, kind):
        """Why a kind of peer cannot run here, or None."""
        program = self.programs[kind]
        if kind == "js":
            if shutil.which("node") is None:
                return "node is not installed"
            if not os.path.isdir(os.path.join(HERE, "js", "node_modules")):
                return "the packages of tests/interop/js are not installed"
        elif not os.path.exists(program[0]):
            tool = "go" if kind == "go" else "cargo"
            if shutil.which(tool) is None:
                return f"{tool} is not installed"
            return f"{os.path.relpath(program[0], HERE)} is not built: run tests/interop/prepare"
        return None

    def foreign(self, kind, *options):
        return driver.Peer(kind, [*self.programs[kind], *options])

    def ours(self, *options):
        return driver.Peer("troupe", [self.troupe_peer, "--trace", *options], env=sober())

    def node(self, *options):
        """The tool itself."""
        return driver.Peer("node", [self.troupe, "node", "--listen", "/ip4/127.0.0.1/tcp/0",
                                    "--trace", *options], env=sober())


def sober():
    """An environment in which a process's size tells: AddressSanitizer keeps freed memory long."""
    options = [os.environ.get("ASAN_OPTIONS", ""), "quarantine_size_mb=1",
               "thread_local_quarantine_size_kb=64"]
    return {**os.environ, "ASAN_OPTIONS": ":".join(options)}
