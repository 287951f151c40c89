"""Write small TensorFlow Lite files, so that reading them can be tested without any that was downloaded."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

KINDS = {"f4": 0, "i4": 2, "u1": 3, "i8": 4, "i1": 9}


class Table(dict):
    """Fields by number: (format, number), bytes-like vectors as arrays, text, tables, lists of tables."""


def flatbuffer(root: Table) -> bytes:
    data = bytearray(8)
    data[4:8] = b"TFL3"
    struct.pack_into("<I", data, 0, _table(data, root))
    return bytes(data)


def _align(data: bytearray, size: int = 8) -> None:
    data.extend(bytes(-len(data) % size))


def _table(data: bytearray, fields: Mapping[int, object]) -> int:
    count = max(fields, default=-1) + 1
    _align(data)
    vtable = len(data)
    data += struct.pack("<HH", 4 + 2 * count, 8 + 8 * count)
    data += b"".join(struct.pack("<H", 8 + 8 * n if n in fields else 0) for n in range(count))
    _align(data)
    start = len(data)
    data += struct.pack("<i", start - vtable) + bytes(4 + 8 * count)
    for number, value in fields.items():
        slot = start + 8 + 8 * number
        if isinstance(value, tuple):
            struct.pack_into(value[0], data, slot, value[1])
        else:
            target = _child(data, value)
            struct.pack_into("<I", data, slot, target - slot)
    return start


def _child(data: bytearray, value: object) -> int:
    if isinstance(value, Table):
        return _table(data, value)
    _align(data)
    # entries at a multiple of 8, whatever their size
    data += bytes(4)
    start = len(data)
    if isinstance(value, list):
        data += struct.pack("<I", len(value)) + bytes(4 * len(value))
        for index, entry in enumerate(value):
            slot = start + 4 + 4 * index
            struct.pack_into("<I", data, slot, _table(data, entry) - slot)
        return start
    array = np.frombuffer(value.encode(), np.uint8) if isinstance(value, str) else np.asarray(value)
    data += struct.pack("<I", len(array)) + array.tobytes()
    return start


def model(
    tensors: Sequence[tuple[str, Sequence[int], np.ndarray | None, Table | None]],
    operators: Sequence[tuple[int, Sequence[int], Sequence[int]]],
) -> Table:
    """Build a model from tensors (name, shape, values, quantisation) and operators (code, inputs, outputs)."""
    codes = sorted({code for code, _, _ in operators})
    buffers, entries = [Table()], []
    for name, shape, values, quantisation in tensors:
        kind = 0 if values is None else KINDS[values.dtype.str[1:]]
        entry = Table({0: np.array(shape, "<i4"), 1: ("<b", kind), 3: name})
        if values is not None:
            entry[2] = ("<I", len(buffers))
            buffers.append(Table({0: np.frombuffer(values.tobytes(), np.uint8)}))
        if quantisation is not None:
            entry[4] = quantisation
        entries.append(entry)
    steps = [
        Table({0: ("<I", codes.index(code)), 1: np.array(i, "<i4"), 2: np.array(o, "<i4")}) for code, i, o in operators
    ]
    graph = Table({0: entries, 3: steps})
    return Table({0: ("<I", 3), 1: [Table({3: ("<i", code)}) for code in codes], 2: [graph], 4: buffers})
