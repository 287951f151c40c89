"""Checkpoints and released weights of the paper's models, all of them safetensors: nothing is ever unpickled."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.audio.files import write_whole
from loopnet_cli.errors import WeightsError
from loopnet_cli.synthesis.papernet import PaperConfig
from loopnet_cli.training.paper_losses import STFT_UNIT
from loopnet_cli.training.papernet import PaperNet

CHECKPOINT, WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
FORMAT, CHECKPOINT_FORMAT, VERSION = "loopnet-paper", "loopnet-paper-checkpoint", "1"


@dataclass
class Progress:
    """Where a training run stands.

    Attributes
    ----------
    step, epoch : int
        How many are complete.
    best, best_epoch : float, int
        The lowest development loss and when it was reached.
    seconds : float
        Time spent so far.
    """

    step: int = 0
    epoch: int = 0
    best: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0


def write_checkpoint(
    path: Path, net: PaperNet, optimiser: torch.optim.Optimizer, progress: Progress, recipe: dict[str, Any]
) -> None:
    """Write all that a run needs to go on, beside and then renamed."""
    from safetensors.torch import save

    tensors = {f"net.{name}": value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    names = [name for name, _ in net.named_parameters()]
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{names[index]}.{key}": torch.as_tensor(value).cpu() for key, value in state.items()}
    about = {
        "format": CHECKPOINT_FORMAT, "version": VERSION, "progress": json.dumps(asdict(progress)),
        "recipe": json.dumps(recipe),
    }  # fmt: skip
    write_whole(path, save(tensors, metadata=about))


def read_checkpoint(
    path: Path, net: PaperNet, optimiser: torch.optim.Optimizer, recipe: dict[str, Any], *, may_differ: tuple[str, ...]
) -> Progress:
    """Go back to a checkpoint.

    Parameters
    ----------
    path : Path
    net, optimiser
        Are filled.
    recipe : dict
        What is asked now.
    may_differ : tuple of str
        Entries that may have changed since.

    Raises
    ------
    WeightsError
        If the file is damaged, or was made by another recipe.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        if about.get("format") != CHECKPOINT_FORMAT or about.get("version") != VERSION:
            raise WeightsError(f"{path}: is no checkpoint of a paper model")
        before: dict[str, Any] = json.loads(about["recipe"])
        progress = Progress(**json.loads(about["progress"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}): begin again in another folder") from error
    for name in [*recipe, *(before.keys() - recipe.keys())]:
        if name not in may_differ and recipe.get(name) != before.get(name):
            raise WeightsError(
                f"{path}: was begun with {name} {_short(before.get(name))}, not {_short(recipe.get(name))}:"
                " go on with the same, or begin in another folder"
            )
    try:
        net.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("net.")})
        state: dict[int, dict[str, Tensor]] = {}
        for index, (name, _) in enumerate(net.named_parameters()):
            keys = ("step", "exp_avg", "exp_avg_sq")
            state[index] = {key: tensors[f"adam.{name}.{key}"] for key in keys}
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    except (RuntimeError, KeyError) as error:
        raise WeightsError(f"{path}: does not fit this network ({error}): begin again in another folder") from error
    return progress


def write_weights(path: Path, net: PaperNet, ranges: Normalisation, about: dict[str, str]) -> None:
    """Write a model as it is rendered from: half precision, batch norm folded, names and ranges beside.

    Parameters
    ----------
    path : Path
        Written whole or not at all.
    net : PaperNet
    ranges : Normalisation
        Of the 21 timbre features.
    about : dict
        Further metadata, e.g. steps, seed and data set.
    """
    from safetensors.numpy import save

    tensors = {name: value.cpu().numpy() for name, value in net.folded().items()}
    if net.config.is_spectral:
        # the network learned in STFT_UNIT; who renders wants plain magnitudes
        for name in ("output.weight", "output.bias"):
            tensors[name] = tensors[name] * np.float32(STFT_UNIT)
    config = net.config
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        **sizes(config),
        "inputs": json.dumps(config.inputs),
        "timbre": json.dumps(ranges.to_dict()),
        **about,
    }
    half = {name: np.ascontiguousarray(value.astype(np.float16)) for name, value in tensors.items()}
    if not all(np.isfinite(value).all() for value in half.values()):
        raise WeightsError(f"{path}: the trained weights hold values that are not finite: lower --rate and train again")
    write_whole(path, save(half, metadata=metadata))


def sizes(config: PaperConfig) -> dict[str, str]:
    """Return what tells the network's shape, as metadata."""
    return {
        "model": config.model,
        "variant": config.variant,
        "noise": "true" if config.noise else "false",
        "layers": str(config.layers),
        "first_filters": str(config.first_filters),
    }


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
