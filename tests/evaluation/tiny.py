"""A model with random weights and a handful of held-out material, so that the whole evaluation can be driven."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile

from loopnet_cli.analysis.ear import EarConfig
from loopnet_cli.analysis.judge import JudgeConfig
from loopnet_cli.analysis.transcriber import FORMAT_VERSION as EAR_VERSION
from loopnet_cli.analysis.transcriber import THRESHOLDS, inputs_and_outputs
from loopnet_cli.analysis.transcriber import WEIGHTS_FILE as EAR_FILE
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data.splits import held_out
from loopnet_cli.pattern import VOICES, Hit, Pattern
from loopnet_cli.pattern.write import write_midi
from loopnet_cli.synthesis.bank import DEFAULT_KIT, WEIGHTS_FILE
from loopnet_cli.synthesis.hitnet import HitNetConfig
from loopnet_cli.synthesis.shaping import ACTUATORS
from loopnet_cli.synthesis.studio import FORMAT_VERSION, StudioModel
from loopnet_cli.synthesis.timbrenet import TimbreNet, profile_of

RATE = 44100
EAR = EarConfig(front=(4, 4), width=8, dilations=(1, 2))
JUDGE = JudgeConfig(width=16, layers=1, heads=2, picture=8)
CONFIG = HitNetConfig(code=8, frames=16, growth=0.4, bands=20, oscillators=12, channels=(16, 16), condition=16)


def write_material(folder: Path) -> Path:
    """Write two held-out kits, a tonal instrument and a few held-out grooves."""
    rng = np.random.default_rng(0)
    t = np.arange(RATE // 4) / RATE
    for number, kit in enumerate(sorted(held_out("kits"))[:3]):
        place = folder / "oneshots" / kit
        place.mkdir(parents=True)
        for voice in VOICES:
            tone = np.sin(2 * np.pi * (60 + 40 * number + 25 * VOICES.index(voice)) * t)
            share = 0.2 if voice in ("kick", "tom") else 0.9
            stroke = (share * rng.standard_normal(len(t)) + (1 - share) * tone) * np.exp(-t * (12 + 6 * number))
            soundfile.write(place / f"{voice}_01.flac", 0.8 * stroke / np.abs(stroke).max(), RATE)
    place = folder / "tonal" / sorted(held_out("tonal"))[0]
    place.mkdir(parents=True)
    soundfile.write(place / "40.flac", 0.5 * np.sin(2 * np.pi * 82.4 * t), RATE)
    (folder / "grooves").mkdir()
    hits = [Hit(0, "kick", 0.9), Hit(1, "snare", 0.9), Hit(2, "kick", 0.8), Hit(3, "snare", 0.9)]
    hits += [Hit(beat / 2, "hat_closed", 0.6 + 0.2 * (beat % 2)) for beat in range(8)]
    for name in sorted(held_out("grooves"))[:2]:
        write_midi(Pattern(tuple(hits), tempo=150.0), folder / "grooves" / name)
    return folder


def write_weights(folder: Path) -> Path:
    """Write weights that load like the package's own."""
    import torch
    from safetensors.numpy import save_file

    from loopnet_cli.analysis.normalise import Normalisation
    from loopnet_cli.synthesis.hitnet import HitNet
    from loopnet_cli.training.network import HitNet as Trained

    folder.mkdir()
    torch.manual_seed(0)
    hits = {name: value.numpy() for name, value in Trained(CONFIG).state_dict().items()}
    kits = []
    for name in (DEFAULT_KIT, "other"):
        rng = np.random.default_rng(len(kits))
        kits.append(
            {
                "name": name,
                "description": "random",
                "codes": {voice: rng.normal(size=CONFIG.code).tolist() for voice in VOICES},
                "levels": dict.fromkeys(VOICES, 0.5),
                "timbre": dict.fromkeys(TIMBRE_NAMES, 0.5),
                "chroma": [0.0] * 12,
            }
        )
    (folder / "kits.json").write_text(json.dumps({"kits": kits}))
    ranges = Normalisation(dict.fromkeys(TIMBRE_NAMES, 0.0), dict.fromkeys(TIMBRE_NAMES, 100.0))
    net = HitNet(CONFIG, hits)
    strokes = net.strokes(np.zeros((1, CONFIG.code), np.float32), ["kick"], np.ones(1, np.float32))
    length = len(profile_of(Pattern((Hit(0, "kick"),)), strokes, np.ones(1, np.float32), CONFIG))
    rng = np.random.default_rng(9)
    timbre = {"mean": np.zeros(length, np.float32), "scale": np.full(length, 5.0, np.float32)}
    for name, inputs, outputs in (
        ("ear.0", length + len(ACTUATORS), len(TIMBRE_NAMES)),
        ("hand", length + len(TIMBRE_NAMES), len(ACTUATORS)),
    ):
        timbre[f"{name}.0.weight"] = (0.05 * rng.standard_normal((outputs, inputs))).astype(np.float32)
        timbre[f"{name}.0.bias"] = np.zeros(outputs, np.float32)
    StudioModel(net, TimbreNet(timbre), ranges, {})  # fails here rather than in a worker
    tensors = {f"hits.{name}": value for name, value in hits.items()}
    tensors |= {f"timbre.{name}": value for name, value in timbre.items()}
    metadata = {
        "format": FORMAT_VERSION,
        "config": json.dumps(CONFIG.to_dict()),
        "timbre_names": json.dumps(list(TIMBRE_NAMES)),
        "actuators": json.dumps(list(ACTUATORS)),
        "normalisation": json.dumps(ranges.to_dict()),
    }
    save_file(tensors, folder / WEIGHTS_FILE, metadata=metadata)
    write_ear(folder / EAR_FILE)
    names = (WEIGHTS_FILE, EAR_FILE, "kits.json")
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / "manifest.json").write_text(json.dumps(digests))
    return folder


def write_ear(path: Path) -> None:
    """Write a transcriber that was never trained; it hears something all the same."""
    import torch
    from safetensors.numpy import save_file

    from loopnet_cli.training.judge import Judge
    from loopnet_cli.training.package_ear import folded
    from loopnet_cli.training.transcriber import Ear

    torch.manual_seed(0)
    weights = folded(Ear(EAR).state_dict(), EAR)
    weights["head.weight"] = (30 * weights["head.weight"]).astype(np.float32)
    judge = Judge(JUDGE, EAR.width).state_dict()
    weights |= {f"judge.{name.removeprefix('layers.')}": value.numpy() for name, value in judge.items()}
    metadata = {
        "format": EAR_VERSION,
        "made_for": json.dumps(inputs_and_outputs()),
        "config": json.dumps(asdict(EAR)),
        "judge": json.dumps(asdict(JUDGE)),
        "picking": json.dumps({"thresholds": dict.fromkeys(THRESHOLDS, 0.5), "delay": 0.0}),
    }
    save_file(weights, path, metadata=metadata)
