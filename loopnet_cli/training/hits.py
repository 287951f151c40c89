"""Train the hit network on a pool of treated strokes: ``python -m loopnet_cli.training.hits --help``.

Checkpoints every few minutes, resumes from its own checkpoint, writes a CSV log.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis.hitnet import HOP, HitNetConfig, noise_bands, warp
from loopnet_cli.training.losses import SIZES, spectral_distance
from loopnet_cli.training.network import HitNet, oscillator_bank, synthesise
from loopnet_cli.training.pool import Stroke, load_pool, make_pool, save_pool
from loopnet_cli.training.prior import prior_of

BUCKETS = (12288, 24576, 49152, 81920)
VOICE_WEIGHT = {"kick": 2.2, "snare": 1.8, "hat_closed": 2.0, "hat_open": 1.6, "tom": 1.0, "perc": 0.8}


class Sampler:
    """Draws batches of strokes of similar length, common voices more often, each kit alike."""

    def __init__(self, pool: list[Stroke], rng: np.random.Generator) -> None:
        self.pool, self.rng = pool, rng
        counts = np.bincount([stroke.voice for stroke in pool], minlength=len(VOICES))
        weights = np.array([VOICE_WEIGHT.get(VOICES[s.voice], 1.0) / max(counts[s.voice], 1) ** 0.7 for s in pool])
        lengths = np.array([len(stroke.audio) for stroke in pool])
        bucket = np.minimum(np.searchsorted(BUCKETS, lengths), len(BUCKETS) - 1)
        self.members = [np.flatnonzero(bucket <= b) if b == len(BUCKETS) - 1 else np.flatnonzero(bucket == b)
                        for b in range(len(BUCKETS))]  # fmt: skip
        mass = np.array([weights[members].sum() for members in self.members])
        # the longest bucket holds everything, so that short strokes learn to stay silent
        mass[-1] *= 0.5
        self.bucket_weights = mass / mass.sum()
        self.member_weights = [weights[m] / weights[m].sum() for m in self.members]

    def batch(self, samples_a_batch: int = 12 * 24576) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return audio (batch, samples), voices, velocities and descriptors."""
        bucket = int(self.rng.choice(len(BUCKETS), p=self.bucket_weights))
        samples = BUCKETS[bucket]
        size = int(np.clip(samples_a_batch // samples, 6, 24))
        chosen = self.rng.choice(self.members[bucket], size, p=self.member_weights[bucket])
        return collate([self.pool[index] for index in chosen], samples)


def collate(strokes: list[Stroke], samples: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Stack strokes, cut or padded to `samples`."""
    audio = np.zeros((len(strokes), samples), np.float32)
    for row, stroke in zip(audio, strokes, strict=True):
        count = min(samples, len(stroke.audio))
        row[:count] = stroke.audio[:count]
    return (
        torch.from_numpy(audio),
        torch.tensor([stroke.voice for stroke in strokes]),
        torch.tensor([stroke.velocity for stroke in strokes], dtype=torch.float32),
        torch.from_numpy(np.stack([stroke.descriptor for stroke in strokes])),
    )


class Renderer:
    """Renders strokes with a noise of its own choosing: long noises drawn once, read from random places."""

    def __init__(self, config: HitNetConfig, seed: int) -> None:
        self.config = config
        samples = BUCKETS[-1]
        rng = np.random.default_rng(seed)
        noise = noise_bands(config, 4 * samples, rng)
        self.noise = torch.from_numpy(noise)
        self.tones = _hops(torch.from_numpy(oscillator_bank(config, samples)))
        self.rng = rng

    def __call__(self, net: HitNet, codes: Tensor, voices: Tensor, velocities: Tensor, samples: int) -> Tensor:
        """Return audio of shape (batch, samples)."""
        count = samples // HOP
        start = int(self.rng.integers(self.noise.shape[1] - samples))
        noise = _hops(self.noise[:, start : start + samples])
        basis = torch.cat([noise, self.tones[:count]], dim=1)
        matrix = torch.from_numpy(warp(self.config, count))
        return synthesise(*net.parameters_of(codes, voices, velocities), basis, matrix)


def _hops(x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], -1, HOP).permute(1, 0, 2).contiguous()


def initialise(net: HitNet, pool: list[Stroke]) -> None:
    """Start the encoder as principal components of the pool's descriptors, and the prior as their inverse."""
    x = torch.from_numpy(np.stack([stroke.descriptor for stroke in pool]))
    mean = x.mean(0)
    _, _, directions = torch.pca_lowrank(x, net.config.code, center=True, niter=4)
    scale = ((x - mean) @ directions).std(0)
    # components are brought half way to equal size: the leading ones say most and stay the largest
    factor = scale**0.5 * scale[0] ** 0.5
    weight = (directions / factor).T
    prior, bias = prior_of(net.config, mean.double().numpy(), (directions * factor).double().numpy())
    with torch.no_grad():
        net.prior.weight.copy_(torch.from_numpy(prior))
        net.prior.bias.copy_(torch.from_numpy(bias))
        net.encoder.weight.copy_(weight)
        net.encoder.bias.copy_(-weight @ mean)


def validate(net: HitNet, pool: list[Stroke], render: Renderer) -> float:
    """Mean spectral distance over sizes on held-out strokes, fixed order."""
    total, count = 0.0, 0
    with torch.no_grad():
        for shorter, samples in pairwise((0, *BUCKETS[:3])):
            lengths = [stroke for stroke in pool if shorter < len(stroke.audio) <= samples]
            for start in range(0, min(len(lengths), 96), 16):
                audio, voices, velocities, descriptors = collate(lengths[start : start + 16], samples)
                output = render(net, net.encode(descriptors), voices, velocities, samples)
                for size in (2048, 512, 128):
                    total += float(spectral_distance(output, audio, size))
                    count += 1
    return total / count


def batches(sampler: Sampler) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Endless batches."""
    while True:
        yield sampler.batch()


def train(
    root: Path,
    out: Path,
    *,
    steps: int,
    variants: int,
    seed: int,
    rate: float,
    every: int,
    pool_cache: Path,
    config: HitNetConfig | None = None,
) -> None:
    """Train and write ``hits.pt`` (checkpoint), ``hits.csv`` (log) and ``recipe.json`` into `out`.

    The log has a row a checkpoint: step, seconds since this process began, smoothed training
    loss, distance on held-out strokes.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    pools = []
    for test, number in ((False, variants), (True, 2)):
        cache = pool_cache / f"pool_{'test' if test else 'train'}_{number}_{seed}.npz"
        if not cache.exists():
            save_pool(make_pool(root, test=test, variants=number, seed=seed), cache)
        pools.append(load_pool(cache))
    pool, held = pools
    config = config or HitNetConfig()
    net = HitNet(config)
    initialise(net, pool)
    # the linear maps stay near their start: left free, the encoder fits the training kits alone
    slow = {"encoder": 0.005, "prior": 0.1}
    groups = [{"params": getattr(net, part).parameters(), "scale": scale} for part, scale in slow.items()]
    rest = [value for name, value in net.named_parameters() if name.partition(".")[0] not in slow]
    groups.append({"params": rest, "scale": 1.0})
    optimiser = torch.optim.AdamW(groups, rate, betas=(0.9, 0.98), weight_decay=1e-4)
    average = {name: value.detach().clone() for name, value in net.state_dict().items()}
    step, checkpoint = 0, out / "hits.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        average, step = state["average"], int(state["step"])
    recipe = {"command": "python -m loopnet_cli.training.hits", "steps": steps, "variants": variants, "seed": seed,
              "rate": rate, "config": config.to_dict(), "strokes": len(pool), "held_out": len(held)}  # fmt: skip
    (out / "recipe.json").write_text(json.dumps(recipe, indent=1) + "\n")
    sampler = Sampler(pool, np.random.default_rng([seed, step]))
    render = Renderer(config, seed + step)
    began, smooth = time.monotonic(), math.nan
    for audio, voices, velocities, descriptors in batches(sampler):
        if step >= steps:
            break
        progress = step / steps
        for group in optimiser.param_groups:
            group["lr"] = (
                group["scale"] * rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * progress) + 0.005)
            )
        codes = net.encode(descriptors)
        codes = codes + 0.05 * torch.randn_like(codes)
        output = render(net, codes, voices, velocities, audio.shape[1])
        sizes = sampler.rng.choice(SIZES, 2, replace=False)
        loss = sum((spectral_distance(output, audio, int(size)) for size in sizes), torch.zeros(())) / 2
        optimiser.zero_grad()
        if not float(loss.detach()) < 50.0:
            step += 1
            continue  # a draw outside anything seen; its gradient would only do harm
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        smooth = float(loss.detach()) if math.isnan(smooth) else 0.99 * smooth + 0.01 * float(loss.detach())
        with torch.no_grad():
            decay = min(0.998, step / (step + 10))
            for name, value in net.state_dict().items():
                average[name].lerp_(value, 1 - decay)
        if step % every == 0 or step == steps:
            judged = HitNet(config)
            judged.load_state_dict(average, strict=False)
            score = validate(judged.eval(), held, Renderer(config, 0))
            with (out / "hits.csv").open("a", newline="") as file:
                csv.writer(file).writerow([step, round(time.monotonic() - began), f"{smooth:.4f}", f"{score:.4f}"])
            state = {
                "net": net.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average,
                "step": step,
                "config": config.to_dict(),
            }
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with oneshots/")
    parser.add_argument("out", type=Path, help="folder for checkpoint, log and recipe")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--variants", type=int, default=9, help="treated strokes a drum")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pool-cache", type=Path, default=None, help="where the pool of strokes is kept")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(
        arguments.data, arguments.out, steps=arguments.steps, variants=arguments.variants, seed=arguments.seed,
        rate=arguments.rate, every=arguments.every, pool_cache=arguments.pool_cache or arguments.out,
    )  # fmt: skip


if __name__ == "__main__":
    main()
