# SPDX-License-Identifier: MIT
"""As much of CBOR (RFC 8949) as a struct of text, number and bytes needs."""


def _head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | code]) + value.to_bytes(size, "big")
    raise ValueError(value)


def cbor_encode(value):
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(
            cbor_encode(k) + cbor_encode(v) for k, v in value.items())
    raise TypeError(type(value))


def _decode(data, at):
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if low >= 24:
        size = 1 << (low - 24)
        low = int.from_bytes(data[at:at + size], "big")
        at += size
    if major == 0:
        return low, at
    if major in (2, 3):
        raw = data[at:at + low]
        if len(raw) < low:
            raise ValueError("cut short")
        return (raw if major == 2 else raw.decode()), at + low
    if major == 4:
        items = []
        for _ in range(low):
            item, at = _decode(data, at)
            items.append(item)
        return items, at
    if major == 5:
        items = {}
        for _ in range(low):
            key, at = _decode(data, at)
            items[key], at = _decode(data, at)
        return items, at
    raise ValueError(f"major type {major}")


def cbor_decode(data):
    value, end = _decode(data, 0)
    if end != len(data):
        raise ValueError("bytes left over")
    return value
