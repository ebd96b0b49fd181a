# SPDX-License-Identifier: MIT
"""What the tests of this directory stand on: the tool built, run within a time, and cases counted."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def build(preset, directory):
    """Builds the tool alone by a preset into build/DIRECTORY. Gives its path, or raises with the log."""
    tree = os.path.join(ROOT, "build", directory)
    commands = [["cmake", "--build", tree, "--target", "troupe", "--", "-j2"]]
    if not os.path.exists(os.path.join(tree, "build.ninja")):
        # What warnings mean is said by the presets themselves; here the programs matter.
        alone = ["-DTRP_TESTS=OFF", "-DTRP_WERROR=OFF"] if directory != preset else []
        commands.insert(0, ["cmake", "--preset", preset, "-B", tree, *alone])
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-4000:]}")
    return os.path.join(tree, "troupe")


def run(arguments, seconds=60, **options):
    """Runs a command. Gives what subprocess.run gives; a code of None when it took too long."""
    options.setdefault("cwd", ROOT)
    try:
        return subprocess.run(arguments, capture_output=True, text=True, errors="replace",
                              timeout=seconds, stdin=subprocess.DEVNULL, **options)
    except subprocess.TimeoutExpired as late:
        def text(raw):
            return (raw or b"").decode(errors="replace") if not isinstance(raw, str) else raw
        return subprocess.CompletedProcess(arguments, None, text(late.stdout), text(late.stderr))


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


class Cases:
    """Prints a line for each case, and the sum."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, good, detail="", note=""):
        """Counts a case; `detail` is for those that fail, `note` for all."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
        shown = note or ("" if good else detail)
        print(f"{'ok    ' if good else 'FAILED'} {name}{'  ' + shown if shown else ''}", flush=True)
        return good

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)
