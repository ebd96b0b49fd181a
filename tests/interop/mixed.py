# SPDX-License-Identifier: MIT
"""One DHT of every kind of peer: eleven nodes, each of which was told of one other."""
import itertools

import cases
from driver import Failed, eventually, expect
from kinds import KAD

# Each dials the one before; the first is the tool as users run it.
LINE = ["node", "troupe", "go", "js", "rust-0.56", "rust-latest", "troupe", "go", "js",
        "rust-latest", "troupe"]


def start_line(suite, kinds):
    peers = []
    for kind in LINE:
        if kind == "node":
            peer = kinds.node("--kad-protocol", KAD)
        elif kind == "troupe":
            peer = kinds.ours()
        else:
            peer = kinds.foreign(kind)
        suite.start(peer)
        if peers:
            peer.ask("dial", peers[-1].address)
            peer.wait("connected", peer=peers[-1].id)
        peers.append(peer)
    return peers


def table_of(peer):
    return {one for one in peer.ask("kad-table")["peers"].split(",") if one}


def check_tables(peers):
    """Everybody looks for itself until it knows of most."""
    def look():
        for peer in peers:
            try:
                peer.ask("kad-bootstrap", seconds=60)
            except Failed:
                continue  # some call it a failure that a table is not full
        return all(len(table_of(peer)) >= len(peers) - 3 for peer in peers)
    eventually(look, "every table is filled", seconds=120)
    return "peers in the tables: " + " ".join(str(len(table_of(peer))) for peer in peers)


def firsts(peers):
    """The first peer of each kind, and the last of each: never the same where there are two."""
    return ({peer.kind: peer for peer in reversed(peers)}, {peer.kind: peer for peer in peers})


def mixed_cases(suite, kinds):
    line = start_line(suite, kinds)
    peers = line[1:]  # those that take commands
    first, last = firsts(peers)
    suite.case(f"{len(line)} nodes of {len(first)} kinds fill their tables",
               lambda: check_tables(peers), needed=True)
    for asker, target in itertools.product(first.values(), last.values()):
        if asker is not target:
            suite.case(f"{asker} finds {target}: FIND_NODE",
                       lambda a=asker, t=target: cases.check_find(a, t, "the network"))
    for asker in first.values():
        suite.case(f"{asker} finds `troupe node`: FIND_NODE",
                   lambda a=asker: cases.check_find(a, line[0], "the network"))
    for owner in first.values():
        name = f"mixed-{owner}"
        suite.case(f"{owner} provides: ADD_PROVIDER", lambda o=owner, n=name: o.ask(
            "kad-provide", cases.key_of(n), seconds=60) and None, needed=True)
        suite.case(f"{owner} puts: PUT_VALUE", lambda o=owner, n=name: o.ask(
            "kad-put", cases.record_of(n), f"value of {n}".encode().hex(), seconds=60) and None,
            needed=True)
    for owner, seeker in itertools.product(first.values(), last.values()):
        if seeker is not owner:
            suite.case(f"{seeker} finds what {owner} provides: GET_PROVIDERS",
                       lambda o=owner, s=seeker: check_provider(s, o))
            suite.case(f"{seeker} gets what {owner} put: GET_VALUE",
                       lambda o=owner, s=seeker: check_value(s, o))
    gone = last["go"]
    seekers = [first[kind] for kind in first if kind != "js"]
    suite.case("a js and a go node are killed; what is left still finds everything",
               lambda: check_loss([last["js"], gone], seekers, first))
    for peer in (last["js"], gone):
        suite.peers.remove(peer)


def check_provider(seeker, owner):
    key = cases.key_of(f"mixed-{owner}")
    found = seeker.ask("kad-providers", key, seconds=60)["peers"].split(",")
    expect(owner.id in found, f"providers {found}")


def check_value(seeker, owner):
    got = seeker.ask("kad-get", cases.record_of(f"mixed-{owner}"), seconds=60)["value"]
    expect(bytes.fromhex(got).decode() == f"value of mixed-{owner}", f"the value is {got}")


def check_loss(victims, seekers, owners):
    for victim in victims:
        victim.kill()
    for seeker, owner in itertools.product(seekers, owners.values()):
        if seeker is not owner and owner not in victims:
            check_value(seeker, owner)
            check_provider(seeker, owner)


def run(suite, kinds):
    suite.group(mixed_cases, kinds)
