"""Read the weights out of a TensorFlow Lite file, without TensorFlow.

A ``.tflite`` file is a FlatBuffer: tables that begin with an offset to their list of
fields, vectors that begin with their length, all little-endian. The few tables that
weights need are read here (schema: tensorflow/lite/schema/schema.fbs, version 3). The
file is somebody else's, so every position is checked before it is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.errors import WeightsError

MAX_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 10_000
"""Tensors, operators or buffers of a file."""
MAX_DIMENSIONS = 8
IDENTIFIER = b"TFL3"
TYPES: dict[int, str] = {0: "<f4", 2: "<i4", 3: "<u1", 4: "<i8", 9: "<i1"}
"""Number types that are read, by their number in the schema; others have no values here."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of the graph.

    Attributes
    ----------
    name : str
    shape : tuple of int
    values : ndarray or None
        What the file stores, before de-quantisation; None for what is computed when the graph runs.
    scales, zeros : ndarray
        Quantisation, one number for the tensor or one per entry of `axis`; empty if there is none.
    axis : int
        The dimension that `scales` go along.
    """

    name: str
    shape: tuple[int, ...]
    values: NDArray[np.generic] | None
    scales: NDArray[np.float32]
    zeros: NDArray[np.int64]
    axis: int

    def dequantised(self) -> NDArray[np.float32]:
        """Return the values as real numbers.

        Raises
        ------
        ValueError
            If the file stores none, or the quantisation does not fit them.
        """
        if self.values is None:
            raise ValueError(f"tensor {self.name!r} holds no values")
        values = self.values.astype(np.float32)
        if not len(self.scales):
            return values
        along = (len(self.scales), len(self.zeros)) if len(self.zeros) else (len(self.scales), 1)
        size = self.shape[self.axis] if 0 <= self.axis < len(self.shape) else 1
        if any(count not in (1, size) for count in along):
            raise ValueError(f"tensor {self.name!r}: {along} quantisation numbers for {size} entries")
        spread = [1] * len(self.shape)
        if 0 <= self.axis < len(self.shape):
            spread[self.axis] = -1
        zeros = self.zeros.astype(np.float32).reshape(spread) if len(self.zeros) else np.float32(0)
        result: NDArray[np.float32] = ((values - zeros) * self.scales.reshape(spread)).astype(np.float32)
        return result


@dataclass(frozen=True)
class Operator:
    """One operation: its number in the schema, and the numbers of the tensors that it reads and writes."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a file: what is stored, and in which order it is used."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]


def read_tflite(path: Path) -> Graph:
    """Read a file.

    Parameters
    ----------
    path : Path
        A TensorFlow Lite model of at most `MAX_BYTES`.

    Raises
    ------
    WeightsError
        If the file cannot be read or is no such model, or a damaged one.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise WeightsError(f"{path}: larger than {MAX_BYTES // 2**20} MB, no model that this reads")
    try:
        return parse_tflite(data)
    except ValueError as error:
        raise WeightsError(f"{path}: not a usable TensorFlow Lite model: {error}") from error


def parse_tflite(data: bytes) -> Graph:
    """Read the bytes of a file.

    Raises
    ------
    ValueError
        If they are no such model, or a damaged one.
    """
    if data[4:8] != IDENTIFIER:
        raise ValueError("it does not begin as one")
    file = _File(data)
    model = _Table(file, file.offset(0))
    graphs = model.tables(2)
    if not graphs:
        raise ValueError("it has no graph")
    buffers = model.tables(4)
    codes = [max(entry.number(0, "<b"), entry.number(3, "<i")) for entry in model.tables(1)]
    tensors = tuple(_tensor(entry, buffers) for entry in graphs[0].tables(0))
    operators = []
    for entry in graphs[0].tables(3):
        index = entry.number(0, "<I")
        if index >= len(codes):
            raise ValueError("an operation of no kind")
        inputs, outputs = (tuple(int(n) for n in entry.vector(field, "<i4")) for field in (1, 2))
        if any(not -1 <= number < len(tensors) for number in (*inputs, *outputs)):
            raise ValueError("an operation on a tensor that is not there")
        operators.append(Operator(codes[index], inputs, outputs))
    return Graph(tensors, tuple(operators))


def _tensor(entry: _Table, buffers: list[_Table]) -> Tensor:
    shape = tuple(int(size) for size in entry.vector(0, "<i4"))
    if len(shape) > MAX_DIMENSIONS or any(size < 0 for size in shape):
        raise ValueError(f"a tensor of shape {shape}")
    name = entry.text(3)
    number, kind = entry.number(2, "<I"), TYPES.get(entry.number(1, "<b"))
    if number >= len(buffers):
        raise ValueError(f"tensor {name!r}: no buffer {number}")
    stored = buffers[number].vector(0, "<u1")
    values = None
    if len(stored) and kind is not None:
        if len(stored) != prod(shape) * np.dtype(kind).itemsize:
            raise ValueError(f"tensor {name!r}: {len(stored)} bytes for shape {shape}")
        values = stored.view(kind).reshape(shape)  # no copy: many tensors may claim one buffer
    scales, zeros, axis = np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    quantisation = entry.table(4)
    if quantisation is not None:
        scales = quantisation.vector(2, "<f4").astype(np.float32)
        zeros = quantisation.vector(3, "<i8").astype(np.int64)
        axis = quantisation.number(6, "<i")
    return Tensor(name, shape, values, scales, zeros, axis)


class _File:
    """The bytes, read only where there are any."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def number(self, position: int, form: str) -> int:
        if not 0 <= position <= len(self.data) - struct.calcsize(form):
            raise ValueError("it ends early or points outside itself")
        value: int = struct.unpack_from(form, self.data, position)[0]
        return value

    def offset(self, position: int) -> int:
        """Follow the offset that stands at a position."""
        return position + self.number(position, "<I")

    def array(self, position: int, kind: str) -> NDArray[np.generic]:
        """Read a vector: its length, then its entries."""
        count, size = self.number(position, "<I"), np.dtype(kind).itemsize
        if count * size > len(self.data) - position - 4:
            raise ValueError("it ends early or points outside itself")
        return np.frombuffer(self.data, kind, count, position + 4)


class _Table:
    """A table: fields by their number in the schema."""

    def __init__(self, file: _File, position: int) -> None:
        self._file, self._position = file, position
        self._fields = position - file.number(position, "<i")
        self._size = file.number(self._fields, "<H")

    def _field(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._size:
            return None
        offset = self._file.number(self._fields + entry, "<H")
        return self._position + offset if offset else None

    def number(self, field: int, form: str) -> int:
        """Return a number; 0 if it is left out, as the schema has it."""
        position = self._field(field)
        return 0 if position is None else self._file.number(position, form)

    def table(self, field: int) -> _Table | None:
        position = self._field(field)
        return None if position is None else _Table(self._file, self._file.offset(position))

    def vector(self, field: int, kind: str) -> NDArray[np.generic]:
        position = self._field(field)
        return np.zeros(0, kind) if position is None else self._file.array(self._file.offset(position), kind)

    def text(self, field: int) -> str:
        return self.vector(field, "<u1")[:200].tobytes().decode("utf-8", "replace")

    def tables(self, field: int) -> list[_Table]:
        position = self._field(field)
        if position is None:
            return []
        start = self._file.offset(position)
        offsets = self._file.array(start, "<u4")
        if len(offsets) > MAX_ENTRIES:
            raise ValueError(f"a list of {len(offsets)} entries")
        return [_Table(self._file, start + 4 + 4 * n + int(offset)) for n, offset in enumerate(offsets)]
