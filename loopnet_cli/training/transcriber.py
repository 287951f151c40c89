"""Train the transcriber: band powers in, activations of the voices and velocities out.

Run ``python -m loopnet_cli.training.transcriber POOL --out RUN`` on the pool that
`loopnet_cli.training.clips` makes. Resumes from RUN; ``RUN/log.csv`` holds the curve.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from loopnet_cli.analysis.ear import GROUPS, EarConfig
from loopnet_cli.analysis.spectrogram import BANDS, WINDOWS
from loopnet_cli.pattern import VOICES
from loopnet_cli.training.clips import Clip, load_part
from loopnet_cli.training.fitting import Schedule, Weights, fit
from loopnet_cli.training.hearing_loss import Batch, draw_batch, plain_batch

VELOCITY_WEIGHT = 0.5
DROPPED = 0.1
"""Share of the channels inside the convolutions over time that are silent in a step: kits to learn from are few."""


class Ear(nn.Module):
    """The network of `loopnet_cli.analysis.ear`, to be trained.

    Batch normalisation is folded into the convolutions when the weights are packaged.
    """

    def __init__(self, config: EarConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        bands, inside = BANDS, len(WINDOWS)
        for index, outside in enumerate(config.front):
            taps = 5 if index == 0 else 3
            layers += [
                nn.Conv2d(inside, outside, (taps, 3), padding=(taps // 2, 1), bias=False),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
            ]
            if index < len(config.front) - 1:
                layers.append(nn.MaxPool2d((2, 1)))
                bands //= 2
            inside = outside
        self.front = nn.Sequential(*layers)
        self.enter = nn.Conv1d(inside * bands, config.width, 1)
        self.wide = nn.ModuleList(
            nn.Conv1d(config.width, config.width, 3, padding=dilation, dilation=dilation)
            for dilation in config.dilations
        )
        self.mix = nn.ModuleList(nn.Conv1d(config.width, config.width, 1) for _ in config.dilations)
        self.drop = nn.Dropout1d(DROPPED)
        count, width = len(config.contexts), config.width
        self.score = nn.ModuleList(nn.Conv1d(width, config.heads, 1) for _ in range(count))
        self.value = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(count))
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(count))
        self.outer = nn.ModuleList(nn.Linear(width, width) for _ in range(count))
        self.head = nn.Conv1d(config.width, 2 * len(VOICES) + len(GROUPS), 1)
        with torch.no_grad():
            for mix in self.mix:
                mix.weight.mul_(0.3)  # type: ignore[operator]
            for outer in self.outer:
                outer.weight.zero_()  # type: ignore[operator]
            self.head.bias.fill_(-3.0)  # type: ignore[union-attr] # most frames hold no hit

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, windows, bands, frames) to (batch, voices + groups + voices, frames).

        Logits of the voices' and the groups' activations, then of the velocities.
        """
        return self.listen(x)[1]

    def listen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the logits are derived from, (batch, width, frames), and the logits."""
        x = self.front(x)
        x = functional.relu(self.enter(x.flatten(1, 2)))
        for index, (wide, mix) in enumerate(zip(self.wide, self.mix, strict=True)):
            x = x + mix(self.drop(functional.relu(wide(x))))
            if index in self.config.contexts:
                x = x + self._context(self.config.contexts.index(index), x)
        hidden = functional.relu(x)
        return hidden, self.head(hidden)

    def _context(self, number: int, x: Tensor) -> Tensor:
        weights = torch.softmax(self.score[number](x).float(), dim=2)
        values = self.value[number](x).float().unflatten(1, (self.config.heads, -1))
        pooled = torch.einsum("bhct,bht->bhc", values, weights).flatten(1)
        result: Tensor = self.outer[number](functional.relu(self.inner[number](pooled)))[:, :, None]
        return result


def loss_of(out: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of the activations and the error of the velocities."""
    count = batch.targets.shape[1]
    presence = functional.binary_cross_entropy_with_logits(out[:, :count], batch.targets, weight=batch.weights)
    error = functional.smooth_l1_loss(torch.sigmoid(out[:, count:]), batch.velocities, reduction="none", beta=0.1)
    velocity = (error * batch.struck).sum() / batch.struck.sum().clamp(min=1.0)
    return presence, velocity


@dataclass
class Recipe:
    """What a run follows from."""

    steps: int = 6000
    batch: int = 10
    frames: int = 512
    rate: float = 2e-3
    seed: int = 1
    threads: int = 2
    half: int = 1


class Pool:
    """The parts of a folder that exist so far, read as they appear."""

    def __init__(self, folder: Path, side: str) -> None:
        self.folder, self.side = folder, side
        self.clips: list[Clip] = []
        self._known: set[str] = set()

    def refresh(self) -> None:
        """Read the parts that came since."""
        for path in sorted(self.folder.glob(f"{self.side}_*.npz")):
            if path.name not in self._known and not path.name.endswith(".part.npz"):
                self.clips += load_part(path)
                self._known.add(path.name)


@torch.no_grad()
def development_loss(model: Ear, clips: list[Clip]) -> tuple[float, float]:
    """Losses on clips as they are, without augmentation, the tonal layer as it was rendered."""
    model.eval()
    sums = np.zeros(2)
    for first in range(0, len(clips), 16):
        batch = plain_batch(clips[first : first + 16])
        presence, velocity = loss_of(model(batch.inputs), batch)
        sums += np.array([float(presence), float(velocity)]) * len(clips[first : first + 16])
    model.train()
    return float(sums[0] / len(clips)), float(sums[1] / len(clips))


def train(pool: Path, out: Path, recipe: Recipe, config: EarConfig, start: Path | None = None) -> None:
    """Train, or go on where a run stopped; a new run may start from the weights of another."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    model = Ear(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=1e-2, betas=(0.9, 0.98))
    if start is not None:
        # what is new here starts as it is
        model.load_state_dict(torch.load(start, weights_only=True)["average"], strict=False)
    (out / "recipe.json").write_text(json.dumps({**asdict(recipe), "network": asdict(config)}, indent=2) + "\n")
    training, held = Pool(pool, "train"), Pool(pool, "dev")
    training.refresh()
    held.refresh()

    def losses(step: int) -> tuple[Tensor, Tensor]:
        # each step draws from its own number, so that a resumed run goes on as it would have
        batch = draw_batch(training.clips, recipe.batch, recipe.frames, np.random.default_rng([recipe.seed, step]))
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(recipe.half)):
            outputs = model(batch.inputs)
        return loss_of(outputs.float(), batch)

    def development(kept: Weights) -> tuple[float, float]:
        training.refresh()
        averaged = Ear(config)
        averaged.load_state_dict(kept)
        return development_loss(averaged, held.clips[:200])

    fit(
        model,
        optimiser,
        Schedule(recipe.steps, recipe.rate, least=1e-5, rising=100, every=200),
        checkpoint=out / "ear.pt",
        log=out / "log.csv",
        losses=losses,
        velocity_weight=VELOCITY_WEIGHT,
        development=development,
        clips=lambda: len(training.clips),
    )


def load_ear(run: Path) -> Ear:
    """Load the averaged weights of a run, to listen with."""
    network = json.loads((run / "recipe.json").read_text(encoding="utf-8"))["network"]
    ear = Ear(EarConfig.from_dict(network))
    ear.load_state_dict(torch.load(run / "ear.pt", weights_only=True)["average"])
    return ear.eval()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Train the transcriber.")
    parser.add_argument("pool", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoint to take the weights from")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    arguments = vars(parser.parse_args())
    pool, out, start = arguments.pop("pool"), arguments.pop("out"), arguments.pop("start")
    train(pool, out, Recipe(**arguments), EarConfig(), start)


if __name__ == "__main__":
    main()
