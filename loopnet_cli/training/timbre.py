"""Train the timbre network: ``python -m loopnet_cli.training.timbre --help``.

Three steps. *measure*: render loops with random actuators and measure their 21
features. *fit*: the ears learn from profile and actuators to the features; the
hand learns, through the frozen ears, which actuators move the features as asked.
Measuring again with actuators that the hand chose, and fitting to all, corrects the
ears where the hand leads them.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.analysis.timbre import timbre_features
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data.corpus import load_corpus
from loopnet_cli.data.grooves import Grooves
from loopnet_cli.data.renderer import BarRenderer
from loopnet_cli.synthesis.shaping import ACTUATORS, LIMITS
from loopnet_cli.synthesis.studio import StudioModel
from loopnet_cli.synthesis.timbrenet import TimbreNet, as_mapping, as_vector
from loopnet_cli.training.checkpoint import read_hits
from loopnet_cli.training.kits import kit_from_drums

Array = NDArray[np.float32]
EARS = 3
_UNIT = Normalisation(dict.fromkeys(TIMBRE_NAMES, 0.0), dict.fromkeys(TIMBRE_NAMES, 1.0))
HIDDEN = 320


def draw_actuators(rng: np.random.Generator) -> Array:
    """Draw a setting: a fifth neutral, else few or many actuators moved, little or far."""
    size = len(ACTUATORS)
    if rng.random() < 0.2:
        return np.zeros(size, np.float32)
    share = rng.choice([0.15, 0.5, 1.0])
    moved = rng.random(size) < share
    width = rng.choice([0.25, 0.5, 1.0])
    vector: NDArray[np.floating] = np.where(moved, np.clip(rng.normal(0, width, size), -1, 1), 0.0)
    if rng.random() < 0.4:  # a smooth tilt of the equaliser: independent points seldom make one
        points = sum(name.startswith("eq_") for name in ACTUATORS)
        vector[:points] += np.linspace(-1, 1, points) * rng.normal(0, 0.6) + rng.normal(0, 0.2)
    drawn: Array = np.clip(vector, -1, 1).astype(np.float32)
    return drawn


def draw_change(rng: np.random.Generator, natural: Array, other: Array) -> Array:
    """Draw what a user may ask: one feature, one attribute in all bands, several, or another loop's features."""
    size = len(TIMBRE_NAMES)
    asked = natural.copy()
    kind = rng.random()
    if kind < 0.5:
        index = rng.integers(size)
        asked[index] = rng.uniform(0, 1)
    elif kind < 0.7:
        attribute = rng.integers(size // 3)
        asked[attribute :: size // 3] = rng.uniform(0, 1)
    elif kind < 0.9:
        moved = rng.random(size) < 0.2
        asked[moved] = rng.uniform(0, 1, moved.sum())
    else:
        asked += (other - natural) * np.float32(rng.uniform(0.2, 1.0))
    return (asked - natural).astype(np.float32)


def measure(
    data: Path, run: Path, *, count: int, seed: int, part: int = 0, parts: int = 1, weights: Path | None = None
) -> dict[str, Array]:
    """Render loops with actuators and measure them.

    Parameters
    ----------
    data : Path
        Training material.
    run : Path
        Folder with the hit network's checkpoint.
    count : int
        Loops in all parts together.
    seed : int
        Loop ``n`` draws from ``(seed, n)``.
    part, parts : int
        This process measures every `parts`-th loop.
    weights : Path, optional
        A timbre network whose hand chooses the actuators of two loops in three.

    Returns
    -------
    dict of array
        ``profile``, ``actuators``, ``raw`` (AudioCommons points).
    """
    net = read_hits(run / "hits.pt")
    hand = None
    if weights:
        hand = TimbreNet(load_file(weights))
    renderer = BarRenderer(load_corpus(data), Grooves(data), seed=seed)
    model = StudioModel(net, hand or TimbreNet({}), _UNIT, {})
    profiles, settings, raws = [], [], []
    previous: Array | None = None
    for number in range(part, count, parts):
        rng = np.random.default_rng([seed, number])
        pattern = renderer.grooves.draw(rng)
        kit = kit_from_drums(net, renderer.drums(pattern.voices, rng))
        score = model.score(pattern, kit)
        if hand and rng.random() < 0.67:
            natural = hand.natural(score.profile)
            previous = natural if previous is None else previous
            vector = hand.actuators(score.profile, draw_change(rng, natural, previous))
            previous = natural
            vector = np.clip(vector + rng.normal(0, 0.05, vector.shape) * (rng.random() < 0.5), -1, 1)
        else:
            vector = draw_actuators(rng)
        stems = model.sound(pattern, kit, score, vector.astype(np.float32), seed=number)
        raw = timbre_features(np.sum(list(stems.values()), axis=0), 44100)
        profiles.append(score.profile)
        settings.append(vector)
        raws.append(as_vector(raw))
    return {
        "profile": np.stack(profiles),
        "actuators": np.stack(settings).astype(np.float32),
        "raw": np.stack(raws),
    }


def measure_originals(data: Path, *, count: int, seed: int) -> Array:
    """Measure rendered training bars, shape (count, 21): what the knobs' range is taken from."""
    renderer = BarRenderer(load_corpus(data), Grooves(data), seed=seed)
    return np.stack([as_vector(timbre_features(renderer.bar(n).audio, 44100)) for n in range(count)])


def _mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, outputs)
    )


def _minimise(net: nn.Module, steps: int, loss_of: Callable[[int], Tensor], rate: float = 2e-3) -> None:
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-5
        optimiser.zero_grad()
        loss_of(step).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()


def fit(
    measured: Mapping[str, Array], normalisation: Normalisation, *, seed: int, steps: int = 4000
) -> tuple[dict[str, Array], dict[str, float]]:
    """Fit ears and hand to measured loops.

    Returns
    -------
    weights : dict of array
        For `TimbreNet`.
    report : dict of float
        Per feature, the share of variance that the ears explain on a tenth kept apart; and the hand's
        error through the ears.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    profile = torch.from_numpy(measured["profile"])
    mean, scale = profile.mean(0), profile.std(0) + 0.05
    x = ((profile - mean) / scale).clamp(-4, 4)
    actuators = torch.from_numpy(measured["actuators"])
    target = torch.from_numpy(np.stack([as_vector(normalisation.to_unit(as_mapping(row))) for row in measured["raw"]]))
    target = target.clamp(-1.5, 2.5)
    order = torch.from_numpy(rng.permutation(len(x)))
    held, used = order[: len(x) // 10], order[len(x) // 10 :]
    inputs = torch.cat([x, actuators], dim=1)
    ears = []
    for _ in range(EARS):
        ear = _mlp(inputs.shape[1], target.shape[1])

        def ear_loss(_: int, ear: nn.Module = ear) -> Tensor:
            rows = used[torch.from_numpy(rng.integers(len(used), size=256))]
            noisy = inputs[rows] + 0.05 * torch.randn(256, inputs.shape[1])
            return nn.functional.smooth_l1_loss(ear(noisy), target[rows], beta=0.2)

        _minimise(ear, steps, ear_loss)
        ears.append(ear.eval().requires_grad_(False))

    def hear(z: Tensor) -> Tensor:
        return torch.stack([ear(z) for ear in ears]).mean(0)

    with torch.no_grad():
        residual = (hear(inputs[held]) - target[held]).var(0) / target[held].var(0)
    report = {name: round(1 - float(r), 3) for name, r in zip(TIMBRE_NAMES, residual, strict=True)}
    hand, error = _fit_hand(x, hear, rng, steps)
    report["hand_error"] = round(error, 4)
    weights = {"mean": mean.numpy(), "scale": scale.numpy()}
    nets = {**{f"ear.{k}": ear for k, ear in enumerate(ears)}, "hand": hand}
    for name, net in nets.items():
        for layer, module in enumerate(m for m in net if isinstance(m, nn.Linear)):
            weights[f"{name}.{layer}.weight"] = module.weight.detach().numpy().copy()
            weights[f"{name}.{layer}.bias"] = module.bias.detach().numpy().copy()
    return weights, report


def _fit_hand(
    x: Tensor, hear: Callable[[Tensor], Tensor], rng: np.random.Generator, steps: int
) -> tuple[nn.Sequential, float]:
    hand = _mlp(x.shape[1] + len(TIMBRE_NAMES), len(ACTUATORS))
    with torch.no_grad():
        last = hand[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(0.2)
    history: list[float] = []
    limits = torch.from_numpy(LIMITS)

    def hand_loss(_: int) -> Tensor:
        rows = torch.from_numpy(rng.integers(len(x), size=192))
        z = x[rows]
        neutral = torch.zeros(len(z), len(ACTUATORS))
        with torch.no_grad():
            natural = hear(torch.cat([z, neutral], dim=1))
        rolled = np.roll(natural.numpy(), 1, axis=0)
        drawn = [draw_change(rng, row, other) for row, other in zip(natural.numpy(), rolled, strict=True)]
        change = torch.from_numpy(np.stack(drawn))
        raw = hand(torch.cat([z, change], dim=1)) - hand(torch.cat([z, 0 * change], dim=1))
        vector = limits * torch.tanh(raw / limits)
        error = hear(torch.cat([z, vector], dim=1)) - natural - change
        asked = (change.abs() > 1e-6).float()
        # what was asked counts most, what was not asked shall stay, and least is best
        missed = (nn.functional.smooth_l1_loss(error, 0 * error, beta=0.1, reduction="none") * asked).sum(1)
        missed = (missed / asked.sum(1).clamp(min=1)).mean()
        leaked = (error.square() * (1 - asked)).mean()
        history.append(float(missed.detach()))
        loss: Tensor = missed + leaked + 0.02 * (vector / limits).square().mean()
        return loss

    _minimise(hand, steps, hand_loss, rate=1.5e-3)
    return hand, float(np.mean(history[-100:]))


def main() -> None:
    """Parse the command line; measure or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["originals", "measure", "fit"])
    parser.add_argument("data", type=Path, help="training material")
    parser.add_argument("run", type=Path, help="folder with hits.pt; results go there")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--round", type=int, default=0, help="0 draws actuators at random; 1 asks the fitted hand")
    parser.add_argument("--steps", type=int, default=4000)
    a = parser.parse_args()
    if a.step == "originals":
        np.save(a.run / "originals.npy", measure_originals(a.data, count=a.count, seed=a.seed))
    elif a.step == "measure":
        weights = a.run / "timbre.safetensors" if a.round else None
        found = measure(
            a.data, a.run, count=a.count, seed=a.seed + a.round, part=a.part, parts=a.parts, weights=weights
        )
        save_file(found, a.run / f"measured_{a.round}_{a.part}.safetensors")
    else:
        files = [load_file(path) for path in sorted(a.run.glob("measured_*.safetensors"))]
        measured = {name: np.concatenate([file[name] for file in files]) for name in ("profile", "actuators", "raw")}
        normalisation = Normalisation.from_percentiles(np.load(a.run / "originals.npy"))
        weights_found, report = fit(measured, normalisation, seed=a.seed, steps=a.steps)
        save_file(weights_found, a.run / "timbre.safetensors")
        (a.run / "timbre.json").write_text(json.dumps({"loops": len(measured["raw"]), **report}, indent=1) + "\n")


if __name__ == "__main__":
    main()
