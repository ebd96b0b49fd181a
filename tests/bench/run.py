#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs benches and shows their figures beside the goals. Usage: run.py [--json FILE] [NAME…]

What programs print, and how another program takes part, is in README.md.
"""
import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILT = os.path.join(ROOT, "build", "release")
PROGRAM_SECONDS = 1800
SERVER_SECONDS = 30

# Figure of a bench: its goal, and whether it is reached from above ("<=") or below (">=").
GOALS = {
    "world_timers": (">=", 5), "world_messages": (">=", 5),
    "ping_pong": ("<=", 40), "counting": ("<=", 40), "fan_in_20": ("<=", 40),
    "ask_mean": ("<=", 150), "spawn": ("<=", 200), "idle_actor_resident": ("<=", 320),
    "hosts-100.real_time": (">=", 100), "hosts-1000-hour.wall": ("<=", 60),
    "hosts-10000.wall": ("<=", 600), "hosts-10000.rss": ("<=", 8),
    "hosts-1000.host_memory": ("<=", 200), "growth": ("<=", 2),
    "bulk_sender_core": (">=", 2),
    "troupe.remote_ask_p50": ("<=", 72000), "troupe-spin.remote_ask_p50": ("<=", 15000),
    "troupe-spin.remote_ask_p99": ("<=", 25000), "troupe.remote_flood": (">=", 5000000),
    "ratio.zeromq_flood": (">=", 1),
    "ratio.remote_ask_p50": ("<=", 1 / 3), "ratio.remote_ask_p99": ("<=", 1 / 3),
}


class Failure(Exception):
    """A bench that could not be run."""


def run(arguments):
    """Runs a program to its end. Gives its standard output and its processor seconds."""
    child = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    try:
        out, err = child.communicate(timeout=PROGRAM_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise Failure(f"{' '.join(arguments)}: over {PROGRAM_SECONDS} s") from None
    return child.returncode, out, err


def processor_seconds():
    spent = os.times()
    return spent.children_user + spent.children_system


def figures(arguments, prefix=""):
    """Runs a program that prints figures, a JSON object a line."""
    code, out, err = run(arguments)
    if code != 0:
        raise Failure(f"{' '.join(arguments)}: exit code {code}\n{err[-2000:]}")
    for line in out.splitlines():
        figure = json.loads(line)
        yield prefix + figure["name"], figure["value"], figure["unit"]


def program(name):
    return os.path.join(BUILT, "tests", name)


# ---- the benches ----

def bench_world():
    yield from figures([program("world_bench")])


def bench_actors():
    yield from figures([program("actor_bench")])


def simulate(name, path, *options):
    """Runs a scenario. Gives its result, with the processor time it took."""
    before = processor_seconds()
    scenario = os.path.join(ROOT, "scenarios", "library", path)
    code, out, err = run([os.path.join(BUILT, "troupe"), "run", scenario, "--json", *options])
    if code not in (0, 1) or not out:
        raise Failure(f"{name}: exit code {code}\n{err[-2000:]}")
    result = json.loads(out)
    if result["outcome"] != "passed":
        unmet = [e["text"] for e in result["expectations"] if e["outcome"] != "held"]
        print(f"{name}: {result['outcome']}: {'; '.join(unmet)}", file=sys.stderr)
    result["cpu_s"] = processor_seconds() - before
    return result


def simulated(name, result):
    host_seconds = result["hosts"] * result["sim_s"]
    yield f"{name}.wall", result["wall_s"], "s"
    yield f"{name}.cpu", result["cpu_s"], "s"
    yield f"{name}.real_time", result["sim_s"] / result["wall_s"], "x"
    yield f"{name}.real_time_cpu", result["sim_s"] / result["cpu_s"], "x"
    yield f"{name}.host_second", result["cpu_s"] / host_seconds * 1e6, "us"
    yield f"{name}.events", result["events"] / result["wall_s"] / 1e3, "k/s"
    yield f"{name}.rss", result["peak_rss_bytes"] / 2**30, "GiB"
    yield f"{name}.host_rss", result["peak_rss_bytes"] / result["hosts"] / 1024, "KiB"


def bench_sim():
    yield from simulated("hosts-100", simulate("hosts-100", "dht/convergence-100.yaml"))
    yield from simulated("hosts-300", simulate("hosts-300", "scale/hosts-300.yaml"))
    yield from simulated("hosts-1000", simulate("hosts-1000", "scale/hosts-1000.yaml"))


def bench_hour():
    yield from simulated("hosts-1000-hour",
                         simulate("hosts-1000-hour", "scale/hosts-1000-hour.yaml"))


def bench_scale():
    """From 100 to 10,000 hosts, the same scenario: the cost of a host and virtual second."""
    costs = []
    for hosts in (100, 1000, 10000):
        path = "scale/hosts-10000.yaml"
        result = simulate(f"hosts-{hosts}", path, "--set", f"hosts.node.count={hosts - 3}")
        costs.append(result["cpu_s"] / (result["hosts"] * result["sim_s"]))
        yield from simulated(f"hosts-{hosts}", result)
    yield "growth", costs[-1] / costs[0], "x"


def bench_memory():
    """What a node with a full table takes, by its own count, when the network is at rest."""
    database = os.path.join(BUILT, "bench-memory")
    simulate("hosts-1000", "scale/hosts-1000.yaml", "--out", database)
    query = ("SELECT value FROM metric WHERE name = 'node.memory' ORDER BY time_ns DESC LIMIT 1")
    code, out, err = run(["sqlite3", os.path.join(database, "run.db"), query])
    if code != 0:
        raise Failure(f"sqlite3: {err}")
    yield "hosts-1000.host_memory", float(out) / 1024, "KiB"
    shutil.rmtree(database)


@contextlib.contextmanager
def server(arguments):
    """Runs a program's server for as long as the context lasts. Gives its address."""
    child = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        line = child.stdout.readline()
        if not line:
            raise Failure(f"{' '.join(arguments)}: no address")
        yield json.loads(line)["listening"]
    finally:
        child.kill()
        child.wait()


def bench_bulk():
    ours = program("remote_bench")
    with server([ours, "serve"]) as address:
        yield from figures([ours, "stream", address])


def kameo():
    """Builds the Kameo node for speed. Gives its command, or None without cargo."""
    if shutil.which("cargo") is None:
        print("skipped: Kameo (cargo is not installed)", file=sys.stderr)
        return None
    interop = os.path.join(ROOT, "tests", "interop")
    build = ["cargo", "build", "--locked", "--release", "--quiet", "-p", "kameo-0-22"]
    done = subprocess.run(build, cwd=interop, check=False)
    if done.returncode != 0:
        print("skipped: Kameo (it does not build)", file=sys.stderr)
        return None
    return [os.path.join(interop, "target", "release", "kameo-0-22"), "bench"]


def bench_remote(peers=()):
    ours = [program("remote_bench")]
    flood = ["flood=5000000"]
    pairs = [("troupe", ours, ours, flood), ("troupe-spin", ours, ours, ["spin=30", *flood]),
             ("troupe-kameo-only", ours, ours, ["kameo=1"])]
    named = [(os.path.basename(words[0]), words) for words in peers]
    rust = kameo()
    if rust is not None:
        named.append(("kameo", rust))
    for name, other in named:
        pairs += [(name, other, other, []), (f"troupe-to-{name}", other, ours, []),
                  (f"{name}-to-troupe", ours, other, [])]
    measured = {}
    for name, serving, calling, options in pairs:
        with server([*serving, "serve", *options]) as address:
            for figure in figures([*calling, "call", address, *options], f"{name}."):
                measured[figure[0]] = figure[1]
                yield figure
    zeromq = program("zeromq_bench")
    if os.path.exists(zeromq):
        with server([zeromq, "serve"]) as address:
            for figure in figures([zeromq, "call", address, *flood], "zeromq."):
                measured[figure[0]] = figure[1]
                yield figure
        yield ("ratio.zeromq_flood",
               measured["troupe.remote_flood"] / measured["zeromq.remote_flood"], "x")
    else:
        print("skipped: ZeroMQ (libzmq is not installed)", file=sys.stderr)
    for name in ("remote_ask_p50", "remote_ask_p99", "remote_tells"):
        if f"kameo.{name}" in measured:
            by_its_protocol = measured[f"troupe-kameo-only.{name}"]
            yield f"ratio.{name}", by_its_protocol / measured[f"kameo.{name}"], "x"


BENCHES = {"world": bench_world, "actors": bench_actors, "sim": bench_sim, "hour": bench_hour,
           "scale": bench_scale, "memory": bench_memory, "bulk": bench_bulk,
           "remote": bench_remote}


# ---- the table ----

def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    load = os.getloadavg()[0]
    return {"cpu": models[0] if models else "?", "cores": len(models), "kernel": platform.release(),
            "load": load, "date": time.strftime("%Y-%m-%d")}


def shown(value):
    if value == 0 or 0.01 <= abs(value) < 10000:
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:,.0f}" if abs(value) >= 1 else f"{value:.2e}"


def show(name, value, unit):
    """Prints a row: the figure, its goal, and by what factor it is reached (1 or more) or missed."""
    goal, ratio = "", ""
    if name in GOALS:
        relation, bound = GOALS[name]
        goal = f"{relation} {shown(bound)}"
        met = value / bound if relation == ">=" else bound / value
        ratio = f"{met:.2f}{'' if met >= 1 else '  short'}"
    print(f"{name:34} {shown(value):>12} {unit:12} {goal:>14} {ratio}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", metavar="FILE", help="also write every figure to FILE")
    parser.add_argument("--peer", metavar="COMMAND", action="append", default=[],
                        help="another program for `remote` (README.md); may be given again")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {' '.join(BENCHES)}")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench is called {unknown[0]}; there are {' '.join(BENCHES)}")
    about = machine()
    print(f"{about['cores']} x {about['cpu']}, Linux {about['kernel']}, load {about['load']:.1f}")
    print(f"{'figure':34} {'value':>12} {'unit':12} {'goal':>14} goal reached by")
    rows, failed = [], False
    for name in options.names or BENCHES:
        bench = BENCHES[name]
        try:
            made = bench([p.split() for p in options.peer]) if name == "remote" else bench()
            for figure in made:
                show(*figure)
                rows.append(dict(zip(("name", "value", "unit"), figure), bench=name))
        except Failure as failure:
            failed = True
            print(f"{name}: {failure}", file=sys.stderr)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "figures": rows}, file, indent=1)
    sys.exit(1 if failed else 0)


main()
