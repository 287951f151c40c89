"""Train one of the paper's models on a data set of bars: Adam, batches of 16, the losses of its equations.

Every step draws its bars and its noise from its own number, so that a run that was stopped anywhere goes on as
it would have. The weights that are kept are those of the epoch with the lowest development loss.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loopnet_cli.data.store import BarStore
from loopnet_cli.engine import usable_cores
from loopnet_cli.errors import UsageError, WeightsError
from loopnet_cli.synthesis.papernet import PaperConfig
from loopnet_cli.training import paper_checkpoint as saved
from loopnet_cli.training.paper_batches import Division, divide, inputs_of, measured_range, wanted_of
from loopnet_cli.training.paper_log import Log, write_audio
from loopnet_cli.training.paper_losses import loss_of
from loopnet_cli.training.papernet import PaperNet

WARM_STEPS, LAST_RATE = 50, 0.05
"""Steps until the full rate, and the share of it at the end of a cosine."""
CHECKPOINT_SECONDS = 120.0
MOST_DEVELOPMENT = 96
"""Bars of the development loss."""
MAY_DIFFER = ("steps", "patience", "device", "precision", "threads")
"""What a run may be continued with another value of."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes
    ----------
    steps : int
        In all; the rate falls over them as a cosine.
    batch : int
        Bars a step.
    rate : float
        Adam's, at its highest.
    seed : int
    patience : int
        Epochs without a better development loss after which to stop; 0 for never.
    device : str
        ``cpu`` or ``cuda``.
    precision : str
        ``fp32`` or ``bf16`` (mixed).
    threads : int
        On the CPU; 0 for one a core.
    """

    steps: int = 20000
    batch: int = 16
    rate: float = 1e-3
    seed: int = 0
    patience: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 0


def best_device() -> str:
    """Return ``cuda`` where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def best_precision(device: str) -> str:
    """Return ``bf16`` where the device computes it faster than it computes ``fp32``."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "fp32"


class Run:
    """One training run, in its folder.

    Parameters
    ----------
    store : BarStore
    folder : Path
        Made if missing; a run that is there goes on.
    config : PaperConfig
    recipe : Recipe
    tensorboard : bool
        Whether to write its logs too.
    """

    def __init__(
        self, store: BarStore, folder: Path, config: PaperConfig, recipe: Recipe, *, tensorboard: bool = False
    ) -> None:
        if recipe.device == "cpu":
            # said in so many words: the command line has set one thread for what must not depend on their number
            torch.set_num_threads(recipe.threads or usable_cores())
        self.store, self.folder, self.config, self.recipe = store, folder, config, recipe
        self.division: Division = divide(store, recipe.seed)
        self.ranges = measured_range(store, self.division.training)
        torch.manual_seed(recipe.seed)
        self.net = PaperNet(config).to(recipe.device)
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=recipe.rate)
        self.progress = saved.Progress()
        self.about = self._described()
        checkpoint = folder / saved.CHECKPOINT
        if checkpoint.exists():
            self.progress = saved.read_checkpoint(
                checkpoint, self.net, self.optimiser, self.about, may_differ=MAY_DIFFER
            )
        self.log = Log(folder, self.about, after_step=self.progress.step, tensorboard=tensorboard)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every training bar is seen once."""
        return max(1, len(self.division.training) // self.recipe.batch)

    def train(self, *, seconds: float = math.inf, tell: Callable[[str, int], None] = lambda text, steps: None) -> bool:
        """Train to the end, or for so many seconds.

        Returns
        -------
        bool
            Whether the run is complete.
        """
        began = last = time.monotonic()
        before = self.progress.seconds
        while not self.complete:
            step_loss = self._step()
            self.progress.step += 1
            self.progress.seconds = before + time.monotonic() - began
            self.log.add(step_loss)
            tell(f"{self.config.model} step {self.progress.step}, loss {step_loss:.4g}", 1)
            if self.progress.step % self.steps_per_epoch == 0 or self.progress.step == self.recipe.steps:
                self._end_epoch()
                last = -math.inf
            now = time.monotonic()
            if now - last > CHECKPOINT_SECONDS or now - began > seconds:
                self.save()
                last = now
            if now - began > seconds:
                break
        self.save()
        return self.complete

    @property
    def complete(self) -> bool:
        """Whether all steps are done, or patience is at its end."""
        recipe, progress = self.recipe, self.progress
        stale = recipe.patience > 0 and progress.epoch - progress.best_epoch >= recipe.patience
        return progress.step >= recipe.steps or stale

    def save(self) -> None:
        """Write the checkpoint."""
        saved.write_checkpoint(self.folder / saved.CHECKPOINT, self.net, self.optimiser, self.progress, self.about)

    def _step(self) -> float:
        recipe, step = self.recipe, self.progress.step
        rate = rate_at(step, recipe)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        rows = self._rows(step)
        inputs, wanted = self._batch(rows, np.random.default_rng([recipe.seed, 1, step]))
        loss = self._loss(inputs, wanted)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise WeightsError(f"the loss is {value} at step {step}: lower --rate and begin in another folder")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return value

    def _rows(self, step: int) -> NDArray[np.int64]:
        """Return the bars of a step: each epoch goes through all of them in an order of its own."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.recipe.seed, 2, epoch]).permutation(self.division.training)
        return order[place * self.recipe.batch : (place + 1) * self.recipe.batch]

    def _batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        bars = self.store.read(rows)
        inputs = inputs_of(self.config, bars, self.ranges, rng)
        return inputs.to(self.recipe.device), wanted_of(self.config, bars).to(self.recipe.device)

    def _loss(self, inputs: Tensor, wanted: Tensor) -> Tensor:
        half = self.recipe.precision == "bf16"
        with torch.autocast(self.recipe.device, torch.bfloat16, enabled=half):
            made = self.net(inputs).float()
        return loss_of(self.config.model, made if self.config.is_spectral else made.squeeze(1), wanted)

    @torch.no_grad()
    def development_loss(self) -> float:
        """Return the mean loss over bars that teach nothing, always the same with the same noise."""
        self.net.eval()
        rows = self.division.development[:MOST_DEVELOPMENT]
        total = 0.0
        for first in range(0, len(rows), self.recipe.batch):
            part = rows[first : first + self.recipe.batch]
            inputs, wanted = self._batch(part, np.random.default_rng([self.recipe.seed, 3, first]))
            total += float(self._loss(inputs, wanted)) * len(part)
        self.net.train()
        return total / len(rows)

    def _end_epoch(self) -> None:
        progress = self.progress
        progress.epoch += 1
        loss = self.development_loss()
        if loss < progress.best:
            progress.best, progress.best_epoch = loss, progress.epoch
            self._write_weights()
        self.log.end_epoch(progress, loss, rate_at(progress.step, self.recipe))
        self.net.eval()
        write_audio(self.folder, self.net, self.store, self.division.test, self.ranges, progress.epoch)
        self.net.train()

    def _write_weights(self) -> None:
        about = {
            "steps": str(self.progress.step),
            "epoch": str(self.progress.epoch),
            "seed": str(self.recipe.seed),
            "dataset": str(self.about["dataset"]),
        }
        saved.write_weights(self.folder / saved.WEIGHTS, self.net, self.ranges, about)

    def _described(self) -> dict[str, Any]:
        """Return the recipe as it is stored: what would have to be the same to get the same weights."""
        return {
            **saved.sizes(self.config),
            **asdict(self.recipe),
            "dataset": dataset_name(self.store),
            "training_bars": len(self.division.training),
            "development_bars": len(self.division.development),
            "inputs": list(self.config.inputs),
            "timbre": self.ranges.to_dict(),
        }


def rate_at(step: int, recipe: Recipe) -> float:
    """Return the rate of a step: up over the first, then down along a cosine."""
    warm = min(1.0, (step + 1) / WARM_STEPS)
    fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / recipe.steps))
    return recipe.rate * warm * (LAST_RATE + (1 - LAST_RATE) * fall)


def dataset_name(store: BarStore) -> str:
    """Name a data set by its file, its size and the checksum of its features."""
    import hashlib

    digest = hashlib.sha256()
    rows = np.arange(len(store))
    for first in range(0, len(rows), 1024):
        for feature in ("chroma", "timbre"):
            digest.update(np.ascontiguousarray(store.features(feature, rows[first : first + 1024])).tobytes())
    return f"{store.path.name}, {len(store)} bars, features sha256 {digest.hexdigest()[:16]}"


def check(recipe: Recipe) -> None:
    """Refuse a recipe that cannot run here.

    Raises
    ------
    UsageError
        If the device is missing or a number is out of range.
    """
    if recipe.device not in ("cpu", "cuda"):
        raise UsageError(f"no device {recipe.device!r}: use cpu or cuda")
    if recipe.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("torch finds no CUDA device here: use --device cpu")
    if recipe.precision not in ("fp32", "bf16"):
        raise UsageError(f"no precision {recipe.precision!r}: use fp32 or bf16")
