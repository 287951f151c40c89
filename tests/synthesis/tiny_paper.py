"""Small paper models with random weights, as files: what tests of loading and of the command line use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.synthesis.papernet import PaperConfig
from loopnet_cli.synthesis.paperwave import tensor_shapes

LOW = {name: 10.0 + index for index, name in enumerate(TIMBRE_NAMES)}
HIGH = {name: 60.0 + index for index, name in enumerate(TIMBRE_NAMES)}


def random_tensors(config: PaperConfig, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in tensor_shapes(config).items():
        spread = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
        tensors[name] = (rng.standard_normal(shape) * spread).astype(np.float16)
        if name.endswith(".scale"):
            tensors[name] = tensors[name] + np.float16(1)
    return tensors


def metadata_of(config: PaperConfig) -> dict[str, str]:
    return {
        "format": "loopnet-paper",
        "version": "1",
        "model": config.model,
        "variant": config.variant,
        "noise": "true" if config.noise else "false",
        "layers": str(config.layers),
        "first_filters": str(config.first_filters),
        "inputs": json.dumps(config.inputs),
        "timbre": json.dumps({"low": LOW, "high": HIGH}),
        "steps": "0",
    }


def write_tiny(path: Path, model: str = "multi", *, seed: int = 0, tensors=None, metadata=None, **sizes) -> Path:
    """Write a network of a few filters; `tensors` and `metadata` replace or, where None, remove single entries."""
    from safetensors.numpy import save_file

    config = PaperConfig(model, **{"layers": 4, "first_filters": 4, **sizes})
    both = []
    for found, changed in ((random_tensors(config, seed), tensors), (metadata_of(config), metadata)):
        found = {**found, **(changed or {})}
        both.append({name: value for name, value in found.items() if value is not None})
    contiguous = {name: np.ascontiguousarray(value) for name, value in both[0].items()}
    save_file(contiguous, path, metadata=both[1])
    return path
