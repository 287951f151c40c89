"""Release the transcriber: fold, choose thresholds on the development clips, write half-precision weights.

Run ``python -m loopnet_cli.training.package_ear EAR JUDGE POOL WEIGHTS``.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loopnet_cli.analysis.ear import Ear, EarConfig
from loopnet_cli.analysis.judge import Judge, JudgeConfig, heard_twice
from loopnet_cli.analysis.spectrogram import loudness_scale
from loopnet_cli.analysis.transcriber import (
    FORMAT_VERSION,
    JUDGE,
    LEAST_GAP,
    THRESHOLDS,
    WEIGHTS_FILE,
    Picking,
    activation_row,
    find_peaks,
    inputs_and_outputs,
)  # fmt: skip
from loopnet_cli.pattern import STEMS, VOICES
from loopnet_cli.training.clips import Clip
from loopnet_cli.training.package import write_manifest
from loopnet_cli.training.transcriber import Pool

Array = NDArray[np.float32]

TOLERANCE = 5.0
"""Frames within which a peak is a hit: 50 ms."""
CANDIDATES = np.round(np.arange(0.1, 0.75, 0.025), 3)
RARE_FROM, RARE_BETA = 0.3, 0.5
"""Voices of the rest are seldom right, so a false one weighs more: lowest threshold, beta of their F-measure."""


def folded(state: dict[str, Tensor], config: EarConfig) -> dict[str, Array]:
    """Turn a training state into the weights of `loopnet_cli.analysis.ear.Ear`.

    Batch normalisation becomes part of the convolution before it.
    """
    weights: dict[str, Array] = {}
    at = 0
    for index in range(len(config.front)):
        kernel = state[f"front.{at}.weight"]
        norm = {key: state[f"front.{at + 1}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}
        scale = norm["weight"] / torch.sqrt(norm["running_var"] + 1e-5)
        weights[f"front.{index}.weight"] = (kernel * scale[:, None, None, None]).contiguous().numpy()
        weights[f"front.{index}.bias"] = (norm["bias"] - norm["running_mean"] * scale).numpy()
        at += 4 if index < len(config.front) - 1 else 3
    for name, value in state.items():
        if not name.startswith("front."):
            weights[name] = value.numpy()
    return weights


def read_ear(run: Path, *, half: bool = True) -> tuple[EarConfig, dict[str, Array]]:
    """Read the averaged weights of a run, rounded as they will be released."""
    network = json.loads((run / "recipe.json").read_text(encoding="utf-8"))["network"]
    config = EarConfig.from_dict(network)
    state = torch.load(run / "ear.pt", weights_only=True, map_location="cpu")["average"]
    weights = folded(state, config)
    kind = np.float16 if half else np.float32
    return config, {name: value.astype(kind).astype(np.float32) for name, value in weights.items()}


def read_judge(run: Path, *, half: bool = True) -> tuple[JudgeConfig, dict[str, Array]]:
    """Read the averaged weights of a judge's run, rounded as they will be released."""
    config = JudgeConfig.from_dict(json.loads((run / "judge.json").read_text(encoding="utf-8"))["network"])
    state = torch.load(run / "judge.pt", weights_only=True, map_location="cpu")["average"]
    kind = np.float16 if half else np.float32
    return config, {
        name.removeprefix("layers."): value.numpy().astype(kind).astype(np.float32) for name, value in state.items()
    }


def matched_peaks(peaks: list[tuple[int, float]], truth: Array) -> list[tuple[float, float]]:
    """Pair peaks with true frames, each once, nearest pairs first."""
    pairs = sorted(
        (abs(p - t), i, j) for i, (_, p) in enumerate(peaks) for j, t in enumerate(truth) if abs(p - t) < TOLERANCE
    )
    used_peaks: set[int] = set()
    used_truth: set[int] = set()
    found = []
    for _, i, j in pairs:
        if i not in used_peaks and j not in used_truth:
            used_peaks.add(i)
            used_truth.add(j)
            found.append((peaks[i][1], float(truth[j])))
    return found


def true_frames(clip: Clip, name: str) -> Array:
    """Return the frames of the true hits of an activation; strokes closer than a peak can be are one."""
    members = [VOICES.index(voice) for voice in STEMS.get(name, (name,))]
    frames = np.sort(clip.hits[np.isin(clip.hits[:, 1], members), 0])
    kept: list[float] = []
    for frame in frames:
        if not kept or frame - kept[-1] >= LEAST_GAP:
            kept.append(float(frame))
    return np.array(kept, np.float32)


def choose_picking(ear: Ear, judge: Judge, clips: list[Clip]) -> tuple[Picking, dict[str, dict[str, float]]]:
    """Choose the threshold of each activation by its F-measure on clips, and the delay of the peaks."""
    heard = []
    for clip in clips:
        powers = 10.0 ** clip.powers.astype(np.float32) + 10.0 ** clip.tonal.astype(np.float32)
        heard.append(heard_twice(ear, judge, loudness_scale(powers)))
    thresholds, report = {}, {}
    for name in THRESHOLDS:
        best = (-1.0, 0.5)
        truths = [true_frames(clip, name) for clip in clips]
        rare = name in STEMS["rest"]
        weight = (RARE_BETA if rare else 1.0) ** 2
        for threshold in CANDIDATES[CANDIDATES >= RARE_FROM] if rare else CANDIDATES:
            right = said = there = 0
            offsets = []
            for row, truth in zip(heard, truths, strict=True):
                peaks = find_peaks(row[activation_row(name)], float(threshold))
                pairs = matched_peaks(peaks, truth)
                right, said, there = right + len(pairs), said + len(peaks), there + len(truth)
                offsets += [p - t for p, t in pairs]
            score = (1 + weight) * right / max(said + weight * there, 1)
            if score > best[0]:
                best = (score, float(threshold))
                report[name] = {
                    "f": round(2 * right / max(said + there, 1), 4), "precision": round(right / max(said, 1), 4),
                    "recall": round(right / max(there, 1), 4), "hits": there, "threshold": float(threshold),
                    "mean_ms": round(10 * float(np.mean(offsets or [0])), 3),
                    "mean_absolute_ms": round(10 * float(np.mean(np.abs(offsets or [0]))), 3),
                }  # fmt: skip
        thresholds[name] = best[1]
    delay = float(np.mean([report[name]["mean_ms"] for name in ("kick", "snare", "hat")])) / 1000
    return Picking(thresholds, round(delay, 5)), report


def package(run: Path, judging: Path, pool: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Write the weights, the logs and the manifest; return what was found on the development clips."""
    from safetensors.numpy import save_file

    config, weights = read_ear(run)
    judge_config, judge_weights = read_judge(judging)
    development = Pool(pool, "dev")
    development.refresh()
    picking, report = choose_picking(Ear(config, weights), Judge(judge_config, judge_weights), development.clips)
    metadata = {
        "format": FORMAT_VERSION,
        "config": json.dumps(asdict(config)),
        "judge": json.dumps(asdict(judge_config)),
        "made_for": json.dumps(inputs_and_outputs()),
        "picking": json.dumps({"thresholds": dict(picking.thresholds), "delay": picking.delay}),
    }
    every = {**weights, **{JUDGE + name: value for name, value in judge_weights.items()}}
    half = {name: np.ascontiguousarray(value, np.float16) for name, value in every.items()}
    save_file(half, folder / WEIGHTS_FILE, metadata)
    (folder / WEIGHTS_FILE).chmod(0o644)  # it is written for its owner alone
    logs = folder / "training"
    logs.mkdir(exist_ok=True)
    shutil.copyfile(run / "log.csv", logs / "ear.csv")
    shutil.copyfile(judging / "judge.csv", logs / "judge.csv")
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    if (run / "history.json").exists():
        # what the run started from, where that was not one command
        recipe["history"] = json.loads((run / "history.json").read_text(encoding="utf-8"))
    recipe["judge"] = json.loads((judging / "judge.json").read_text(encoding="utf-8"))
    (logs / "ear.json").write_text(json.dumps({**recipe, "development": report}, indent=1) + "\n", encoding="utf-8")
    write_manifest(folder)
    return report


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Package the transcriber.")
    parser.add_argument("run", type=Path, help="of the ear")
    parser.add_argument("judge", type=Path, help="run of the judge")
    parser.add_argument("pool", type=Path)
    parser.add_argument("weights", type=Path)
    arguments = parser.parse_args()
    for name, row in package(arguments.run, arguments.judge, arguments.pool, arguments.weights).items():
        print(name, row)


if __name__ == "__main__":
    main()
