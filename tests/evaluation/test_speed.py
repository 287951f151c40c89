"""The speed section in processes of its own, on a tiny model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation import speed

sys.path.insert(0, str(Path(__file__).parent))
from tiny import write_weights


def test_warm_bars_are_timed_for_every_product(tmp_path):
    found = speed.warm(write_weights(tmp_path / "weights"), bars=3)
    assert all(len(found[name]) == 3 and min(found[name]) > 0 for name in speed.PRODUCTS)
    assert 0 < found["memory"]["imports"] <= found["memory"]["model"] <= found["memory"]["bars"]
    assert len(found["seconds"]) == 3


def test_a_child_that_fails_says_why(tmp_path):
    with pytest.raises(LoopnetError, match="cannot be read"):
        speed._child(["--warm", "--weights", str(tmp_path)], 1)
