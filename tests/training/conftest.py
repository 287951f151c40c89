from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write twelve bars of bursts, two of them for testing."""
    pytest.importorskip("h5py")
    from loopnet_cli.data.rows import FRAMES, LOOP_FIELDS, LoopInfo, Rows, to_int16
    from loopnet_cli.data.store_writer import StoreWriter
    from loopnet_cli.synthesis.papernet import PAPER_SAMPLES

    rng = np.random.default_rng(7)
    count = 12
    audio = np.zeros((count, PAPER_SAMPLES), np.float32)
    activations = np.zeros((count, FRAMES, 3), np.float32)
    for row in range(count):
        for start in rng.integers(0, PAPER_SAMPLES - 2000, 4):
            audio[row, start : start + 2000] += 0.3 * np.exp(-np.arange(2000) / 400) * rng.standard_normal(2000)
            activations[row, start // 160, int(rng.integers(3))] = 1
    rows = Rows(
        audio_paper=to_int16(audio), audio_studio=None, activations=activations,
        envelope=np.abs(audio).astype(np.float16), chroma=rng.random((count, 12), np.float32),
        timbre=(rng.random((count, 21)) * 40 + 20).astype(np.float32), loop=np.arange(count, dtype=np.int32),
        bar=np.zeros(count, np.int16), patterns=("",) * count,
    )  # fmt: skip
    plain = {str: "", float: 0.0, int: 1}
    values = {name: plain[kind] for name, kind in LOOP_FIELDS.items()}
    loops = [
        LoopInfo(**{**values, "name": f"loop {n}", "split": "test" if n < 2 else "train"})  # type: ignore[arg-type]
        for n in range(count)
    ]
    path = tmp_path_factory.mktemp("store") / "bars.h5"
    with StoreWriter(path, {"made_by": "a test"}, studio=False) as writer:
        writer.append(loops, rows)
    return path
