"""What is in a data set, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from loopnet_cli.data.rows import COLUMNS, SPLITS
from loopnet_cli.data.store import VERSION, BarStore

PERCENTILES = (5, 50, 95)
CONSTANT = 1e-6
AT_ONCE = 256


def inspect_store(path: Path) -> dict[str, Any]:
    """Describe a data set.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        Plain values: counts of bars and loops, tempos, what each column of each feature comes to (percentiles;
        of activations the mean and the highest value), what is constant, and what was left out and why.

    Raises
    ------
    DatasetError
        If it is no data set.
    """
    with BarStore(path) as store:
        loops, rejected = store.loops(), store.rejected()
        bars = {split: len(store.indices(split)) for split in SPLITS}
        columns = {name: _percentiles(store, name) for name in ("chroma", "timbre")}
        constant = [
            f"{name}.{column}"
            for name, found in columns.items()
            for column, values in found.items()
            if len(store) > 1 and values[-1] - values[0] < CONSTANT
        ]
        return {
            "file": str(path),
            "version": VERSION,
            "bytes": path.stat().st_size,
            "settings": store.settings,
            "audio_44100": store.has_studio_audio,
            "bars": bars,
            "loops": {split: sum(loop.split == split for loop in loops) for split in SPLITS},
            "tempo_from": dict(sorted(Counter(loop.tempo_from for loop in loops).items())),
            "tempo": _range([loop.tempo for loop in loops]),
            "confidence": _range([loop.confidence for loop in loops]),
            "activations": _activations(store),
            **columns,
            "constant": constant,
            "reasons": dict(Counter(one.reason for one in rejected).most_common()),
            "rejected": [asdict(one) for one in rejected],
        }


def _range(values: list[float]) -> list[float]:
    """Return least, median and greatest; empty for none."""
    return [round(float(value), 6) for value in np.percentile(values, (0, 50, 100))] if values else []


def _percentiles(store: BarStore, name: str) -> dict[str, list[float]]:
    table = store.features(name, range(len(store)))
    if not len(table):
        return {}
    found = np.percentile(table.astype(np.float64), PERCENTILES, axis=0)
    return {column: [round(float(v), 6) for v in values] for column, values in zip(COLUMNS[name], found.T, strict=True)}


def _activations(store: BarStore) -> dict[str, dict[str, float]]:
    """Return how present each drum is, and in how many bars it is not struck at all."""
    names = COLUMNS["activations"]
    peaks = [block.max(axis=1) for block in _blocks(store, "activations")]
    if not peaks:
        return {}
    highest = np.concatenate(peaks)
    return {
        name: {"silent_bars": int(np.sum(column < 0.1)), "mean_peak": round(float(column.mean()), 6)}
        for name, column in zip(names, highest.T, strict=True)
    }


def _blocks(store: BarStore, name: str) -> Iterator[Any]:
    for first in range(0, len(store), AT_ONCE):
        yield store.features(name, range(first, min(first + AT_ONCE, len(store))))
