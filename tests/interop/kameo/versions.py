# SPDX-License-Identifier: MIT
"""Builds the Rust program of the tests for a version of Kameo that prepare does not build.

Its sources are those of all versions; what differs is a manifest. That, its lock file, which begins
as the one of all peers, and nothing else is kept under the build directory.
"""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
INTEROP = os.path.join(HERE, "..")
TARGET = os.path.join(INTEROP, "target")
MODEL = "kameo-0.22"


def replaced(pattern, by, text):
    text, count = re.subn(pattern, by, text, count=1)
    if count != 1:
        raise ValueError(f"no {pattern} in the manifest")
    return text


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def write(text, *parts):
    with open(os.path.join(*parts), "w", encoding="utf-8") as file:
        file.write(text)


def build(version, folder):
    """Gives the path of the program; raises what cargo makes of an unknown version."""
    name = "kameo-" + version.replace(".", "-")
    crate = os.path.join(folder, name)
    os.makedirs(crate, exist_ok=True)
    workspace = replaced(r"(?s)members = \[.*?\]", f'members = ["{name}"]', read(INTEROP, "Cargo.toml"))
    program = replaced(r'name = ".*?"', f'name = "{name}"', read(HERE, MODEL, "Cargo.toml"))
    program = replaced(r'"=\d+\.\d+\.\d+"', f'"={version}"', program)
    source = os.path.join(HERE, MODEL, "src", "main.rs")
    program += f'\n[[bin]]\nname = "{name}"\npath = "{source}"\n'
    write(workspace, folder, "Cargo.toml")
    write(program, crate, "Cargo.toml")
    if not os.path.exists(os.path.join(folder, "Cargo.lock")):
        shutil.copy(os.path.join(INTEROP, "Cargo.lock"), folder)
    subprocess.run(["cargo", "build", "--quiet", "--target-dir", TARGET], cwd=folder, check=True)
    return os.path.join(TARGET, "debug", name)
