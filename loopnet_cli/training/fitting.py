"""Gradient steps as the transcriber's networks take them: a rate that rises and falls, an average, checkpoints."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

AVERAGE = 0.998
"""Decay of the running average of the weights that is kept."""
COLUMNS = ("step", "clips", "presence", "velocity", "dev_presence", "dev_velocity", "seconds")

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Schedule:
    """When what happens.

    Attributes
    ----------
    steps : int
        In all.
    rate, least : float
        The learning rate rises from 0 to `rate` and falls along a cosine to `least`.
    rising : int
        Steps in which it rises.
    every : int
        Steps between checkpoints.
    """

    steps: int
    rate: float
    least: float
    rising: int
    every: int

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, from 0 on."""
        risen = min(1.0, (step + 1) / self.rising)
        return float(self.rate * risen * (0.5 + 0.5 * np.cos(np.pi * step / self.steps)) + self.least)


def fit(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    checkpoint: Path,
    log: Path,
    losses: Callable[[int], tuple[Tensor, Tensor]],
    velocity_weight: float,
    development: Callable[[Weights], tuple[float, float]],
    clips: Callable[[], int],
) -> None:
    """Take gradient steps, or go on where they stopped.

    Parameters
    ----------
    model : nn.Module
    optimiser : Optimizer
        Of its parameters.
    schedule : Schedule
    checkpoint, log : Path
        Where weights, optimiser and step are kept, and the table of losses.
    losses : callable
        From the step's number to the losses of presence and of velocity.
    velocity_weight : float
        Of the latter.
    development : callable
        From averaged weights to both losses on clips that are not learned from.
    clips : callable
        How many clips are learned from by now.
    """
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        kept, step = state["average"], int(state["step"])
    began, sums, count = time.monotonic(), np.zeros(2), 0
    while step < schedule.steps:
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate_at(step)
        presence, velocity = losses(step)
        optimiser.zero_grad()
        (presence + velocity_weight * velocity).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        _average(kept, model, step)
        sums += [float(presence.detach()), float(velocity.detach())]
        count += 1
        if step % schedule.every == 0 or step == schedule.steps:
            _log(log, [step, clips(), *(sums / count), *development(kept), time.monotonic() - began])
            sums, count = np.zeros(2), 0
            part = checkpoint.with_suffix(".part")
            torch.save(
                {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": kept, "step": step}, part
            )
            part.replace(checkpoint)


def _average(kept: Weights, model: nn.Module, step: int) -> None:
    decay = min(AVERAGE, (1 + step) / (10 + step))
    for name, value in model.state_dict().items():
        if value.dtype.is_floating_point:
            kept[name].lerp_(value, 1 - decay)
        else:
            kept[name].copy_(value)


def _log(path: Path, row: Sequence[float]) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(COLUMNS)
        writer.writerow([f"{value:.6g}" for value in row])
