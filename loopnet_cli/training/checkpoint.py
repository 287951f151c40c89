"""Read the hit network's training checkpoint into the numpy network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from loopnet_cli.synthesis.hitnet import HitNet, HitNetConfig


def read_hits_state(path: Path) -> tuple[HitNetConfig, dict[str, NDArray[np.float32]]]:
    """Return the sizes and the averaged weights of a checkpoint."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    stored = state.get("config", {})
    if stored:
        stored = {**stored, "channels": tuple(stored["channels"])}
    return HitNetConfig(**stored), {name: value.numpy() for name, value in state["average"].items()}


def read_hits(path: Path) -> HitNet:
    """Return a checkpoint as a network ready to render."""
    return HitNet(*read_hits_state(path))
