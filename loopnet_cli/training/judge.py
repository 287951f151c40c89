"""Train the judge: the candidates of a clip in, what was struck at each out.

Run ``python -m loopnet_cli.training.judge CANDIDATES --out RUN`` on what
`loopnet_cli.training.judge_data` found. Resumes from RUN; ``RUN/judge.csv`` holds the curve.
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

from loopnet_cli.analysis.candidates import FURTHEST, PICTURE, ROWS
from loopnet_cli.analysis.ear import GROUPS
from loopnet_cli.analysis.judge import FARTHEST, LOGIT_SCALE, OUTPUTS, STEPS, JudgeConfig
from loopnet_cli.pattern import VOICES
from loopnet_cli.training.fitting import Schedule, Weights, fit
from loopnet_cli.training.hearing_loss import FAINT, FAINT_WEIGHT
from loopnet_cli.training.judge_data import JudgeBatch, Struck, draw_struck, load_struck, side_by_side

VELOCITY_WEIGHT = 8.0
"""The cross-entropy is summed over the activations of a candidate."""
DROPPED = 0.15


class Layer(nn.Module):
    """One round of attention among candidates."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.heads, width = config.heads, config.width
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
        self.drop = nn.Dropout(DROPPED)
        nn.init.zeros_(self.join.weight)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, y: Tensor, bias: Tensor) -> Tensor:
        """Change (batch, candidates, width) by what the others are.

        `bias` has shape (batch, heads, candidates, candidates).
        """
        query, key, value = self.query(self.before(y)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        y = y + self.drop(self.join(heard.transpose(1, 2).flatten(2)))
        result: Tensor = y + self.drop(self.narrow(functional.relu(self.widen(self.between(y)))))
        return result


class Judge(nn.Module):
    """The network of `loopnet_cli.analysis.judge`, to be trained; `hidden` is the width of the ear."""

    def __init__(self, config: JudgeConfig, hidden: int) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Linear(hidden + OUTPUTS + ROWS, config.width)
        self.look, self.see = nn.Linear(PICTURE, config.picture), nn.Linear(config.picture, config.width)
        self.distance = nn.Parameter(torch.zeros(config.layers, config.heads, 2 * STEPS + 1))
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.last, self.head = nn.LayerNorm(config.width), nn.Linear(config.width, OUTPUTS)
        self.drop = nn.Dropout(DROPPED)
        for start in (self.see.weight, self.head.weight, self.head.bias):
            nn.init.zeros_(start)

    def forward(self, batch: JudgeBatch) -> Tensor:
        """Map candidates to (batch, candidates, voices + groups + voices): logits."""
        edge = 1 / (1 + float(np.exp(FURTHEST)))
        values = torch.logit(batch.values.clamp(edge, 1 - edge))
        x = torch.cat([batch.hidden, batch.logits * LOGIT_SCALE, values * LOGIT_SCALE], dim=2)
        y = self.enter(x) + self.see(functional.relu(self.look(self.drop(batch.picture))))
        apart = batch.frames[:, None, :] - batch.frames[:, :, None]
        steps = torch.clamp((torch.log2(apart.abs() / 3 + 1) * 1.6).long(), max=STEPS)
        steps = torch.where(apart < 0, STEPS - steps, STEPS + steps)
        hidden = (~batch.there)[:, None, None, :] | (apart.abs() > FARTHEST)[:, None]
        for index, layer in enumerate(self.layers):
            bias = self.distance[index][:, steps].transpose(0, 1).masked_fill(hidden, -1e9)
            y = layer(y, bias)
        change = self.head(self.last(y))
        result: Tensor = torch.cat([values, batch.logits[..., ROWS:]], dim=2) + change
        return result


def loss_of(out: Tensor, batch: JudgeBatch) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of the activations, a candidate, and the error of the velocities, a stroke."""
    velocities = batch.velocities
    struck = (velocities > 0).float()
    groups = [struck[..., [VOICES.index(voice) for voice in members]].amax(dim=2) for members in GROUPS.values()]
    targets = torch.cat([struck, torch.stack(groups, dim=2)], dim=2)
    weights = torch.ones_like(targets)
    weights[..., : len(VOICES)] = torch.where((velocities > 0) & (velocities < FAINT), FAINT_WEIGHT, 1.0)
    there = batch.there[..., None].float()
    presence = functional.binary_cross_entropy_with_logits(out[..., :ROWS], targets, weight=weights, reduction="none")
    error = functional.smooth_l1_loss(torch.sigmoid(out[..., ROWS:]), velocities, reduction="none", beta=0.1)
    counted = struck * there
    return (presence * there).sum() / there.sum().clamp(min=1), (error * counted).sum() / counted.sum().clamp(min=1)


@dataclass
class Recipe:
    """What a run follows from."""

    steps: int = 6000
    batch: int = 32
    rate: float = 1e-3
    decay: float = 0.02
    seed: int = 1
    threads: int = 2


@torch.no_grad()
def development_loss(model: Judge, items: list[Struck]) -> tuple[float, float]:
    """Losses on whole clips."""
    model.eval()
    sums = np.zeros(2)
    for first in range(0, len(items), 50):
        some = items[first : first + 50]
        batch = side_by_side([(item, np.ones(len(item.velocities), bool)) for item in some])
        presence, velocity = loss_of(model(batch), batch)
        sums += np.array([float(presence), float(velocity)]) * len(some)
    return float(sums[0] / len(items)), float(sums[1] / len(items))


def train(folder: Path, out: Path, recipe: Recipe, config: JudgeConfig) -> None:
    """Train, or go on where a run stopped."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    training, held = (
        [item for path in sorted(folder.glob(f"{side}_*.npz")) for item in load_struck(path)]
        for side in ("train", "dev")
    )
    hidden = training[0].candidates.hidden.shape[1]
    model = Judge(config, hidden)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98))
    (out / "judge.json").write_text(
        json.dumps({**asdict(recipe), "hidden": hidden, "network": asdict(config)}, indent=2) + "\n"
    )

    def losses(step: int) -> tuple[Tensor, Tensor]:
        batch = draw_struck(training, recipe.batch, np.random.default_rng([recipe.seed, step]))
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model(batch)
        return loss_of(outputs.float(), batch)

    def development(kept: Weights) -> tuple[float, float]:
        averaged = Judge(config, hidden)
        averaged.load_state_dict(kept)
        return development_loss(averaged, held)

    fit(
        model,
        optimiser,
        Schedule(recipe.steps, recipe.rate, least=1e-6, rising=200, every=500),
        checkpoint=out / "judge.pt",
        log=out / "judge.csv",
        losses=losses,
        velocity_weight=VELOCITY_WEIGHT,
        development=development,
        clips=lambda: len(training),
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Train the judge.")
    parser.add_argument("candidates", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    arguments = vars(parser.parse_args())
    folder, out = arguments.pop("candidates"), arguments.pop("out")
    train(folder, out, Recipe(**arguments), JudgeConfig())


if __name__ == "__main__":
    main()
