from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.controls import TIMBRE_NAMES, Kit
from loopnet_cli.pattern import VOICES, Hit, Pattern
from loopnet_cli.synthesis.hitnet import HitNet, HitNetConfig
from loopnet_cli.synthesis.shaping import ACTUATORS
from loopnet_cli.synthesis.studio import StudioModel
from loopnet_cli.synthesis.timbrenet import TimbreNet

SMALL = HitNetConfig(code=6, bands=24, oscillators=20, burst=128, channels=(16, 24), condition=32)


def small_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights of the small network, in the shapes of the torch module."""
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.network import HitNet as TorchHitNet

    torch.manual_seed(seed)
    return {name: value.numpy() for name, value in TorchHitNet(SMALL).state_dict().items()}


def small_timbre(profile: int, seed: int = 0) -> TimbreNet:
    rng = np.random.default_rng(seed)
    sizes = {"ear.0": (profile + len(ACTUATORS), 16, 21), "hand": (profile + 21, 16, len(ACTUATORS))}
    weights = {"mean": np.zeros(profile), "scale": np.ones(profile)}
    for name, (inputs, hidden, outputs) in sizes.items():
        weights[f"{name}.0.weight"] = rng.normal(0, 0.2, (hidden, inputs))
        weights[f"{name}.0.bias"] = np.zeros(hidden)
        weights[f"{name}.1.weight"] = rng.normal(0, 0.3, (outputs, hidden))
        weights[f"{name}.1.bias"] = np.full(outputs, 0.5)
    return TimbreNet(weights)


@pytest.fixture(scope="session")
def net() -> HitNet:
    return HitNet(SMALL, small_weights())


@pytest.fixture(scope="session")
def kit() -> Kit:
    rng = np.random.default_rng(1)
    codes = {voice: tuple(rng.normal(0, 1, SMALL.code)) for voice in VOICES}
    return Kit("small", "for tests", codes, dict.fromkeys(VOICES, 0.5), dict.fromkeys(TIMBRE_NAMES, 0.5), (0.0,) * 12)


@pytest.fixture(scope="session")
def model(net: HitNet, kit: Kit) -> StudioModel:
    # an untrained network does not fall silent: cut it, so that a loop costs milliseconds
    net._weights["head.bias"][: SMALL.bands] = -2.0
    unit = Normalisation(dict.fromkeys(TIMBRE_NAMES, 0.0), dict.fromkeys(TIMBRE_NAMES, 100.0))
    bare = StudioModel(net, TimbreNet({}), unit, {"small": kit})
    pattern = Pattern((Hit(0, "kick"),))
    return StudioModel(net, small_timbre(len(bare.score(pattern, kit).profile)), unit, {"small": kit})


@pytest.fixture
def pattern() -> Pattern:
    hits = [Hit(b, "kick", 0.9) for b in (0, 1.5, 2)] + [Hit(b, "snare", 0.7) for b in (1, 3)]
    hits += [Hit(b / 2, "hat_closed", 0.5) for b in range(7)] + [Hit(3.5, "hat_open", 0.6), Hit(2.75, "tom", 0.8)]
    return Pattern(tuple(hits), tempo=133.7)
