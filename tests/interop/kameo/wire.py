# SPDX-License-Identifier: MIT
"""Kameo's envelopes and Kademlia's messages, as a peer that keeps to no rule may write them."""
import struct

MESSAGING = "/kameo/messaging/1.0.0"
REGISTRY = "/kameo/registry/1.0.0"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def peer_bytes(text):
    """The bytes of a PeerId in base58."""
    number = 0
    for digit in text:
        number = number * 58 + BASE58.index(digit)
    return number.to_bytes((number.bit_length() + 7) // 8, "big").rjust(38, b"\0")


def actor_id(sequence, peer):
    return struct.pack("<Q", sequence) + peer_bytes(peer)


def cbor_head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor(value):
    """None, bool, int, bytes, str, list and dict, in the order they have."""
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return cbor_head(0, value) if value >= 0 else cbor_head(1, -1 - value)
    if isinstance(value, bytes):
        return cbor_head(2, len(value)) + value
    if isinstance(value, str):
        return cbor_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return cbor_head(4, len(value)) + b"".join(map(cbor, value))
    pairs = ((cbor(key), cbor(item)) for key, item in value.items())
    return cbor_head(5, len(value)) + b"".join(key + item for key, item in pairs)


def ask(actor, message, payload, actor_type="probe"):
    return cbor({"Ask": {"actor_id": actor, "actor_remote_id": actor_type,
                         "message_remote_id": message, "payload": list(payload),
                         "mailbox_timeout": None, "reply_timeout": None, "immediate": False}})


def tell(actor, message, payload):
    return cbor({"Tell": {"actor_id": actor, "actor_remote_id": "probe",
                          "message_remote_id": message, "payload": list(payload),
                          "mailbox_timeout": None, "immediate": False}})


def link(actor, sibling):
    return cbor({"Link": {"actor_id": actor, "actor_remote_id": "probe", "sibling_id": sibling,
                          "sibling_remote_id": "probe"}})


def unlink(actor, sibling):
    return cbor({"Unlink": {"actor_id": actor, "actor_remote_id": "probe", "sibling_id": sibling}})


def signal_link_died(dead, notified, reason="Killed"):
    return cbor({"SignalLinkDied": {"dead_actor_id": dead, "notified_actor_id": notified,
                                    "notified_actor_remote_id": "probe", "stop_reason": reason}})


def uvarint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number, value):
    """A protobuf field: a number, or bytes."""
    if isinstance(value, int):
        return uvarint(number << 3) + uvarint(value)
    return uvarint(number << 3 | 2) + uvarint(len(value)) + value


def framed(message):
    return uvarint(len(message)) + message


def registration(actor, peer, actor_type=b"probe"):
    return bytes([len(peer_bytes(peer))]) + actor + actor_type


def put_value(key, value, publisher=None):
    record = field(1, key) + field(2, value)
    record += field(666, publisher) if publisher else b""
    record += field(777, 3600)
    return framed(field(2, key) + field(3, record))


def add_provider(key, provider):
    return framed(field(1, 2) + field(10, 10) + field(2, key) + field(9, field(1, provider)))


def get_value(key):
    return framed(field(1, 1) + field(10, 10) + field(2, key))


def get_providers(key):
    return framed(field(1, 3) + field(10, 10) + field(2, key))


def find_node(key):
    return framed(field(1, 4) + field(10, 10) + field(2, key))
