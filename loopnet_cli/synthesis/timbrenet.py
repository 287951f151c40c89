"""The timbre network: from knobs to actuators, given what the strokes of a loop are made of.

Two small networks. The *ear* predicts the 21 timbre features of a loop from its
profile (energy over frequency and age, without sounding it) and an actuator
setting. The *hand* answers with the setting that moves the features as asked; it
was trained through the ear, and the ear on measured loops.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.pattern import STEMS, Pattern
from loopnet_cli.synthesis.hitnet import HitNetConfig, Strokes
from loopnet_cli.synthesis.shaping import ACTUATORS, LIMITS

Array = NDArray[np.float32]

AGE_EDGES = (0.0, 0.008, 0.04, 0.16, 3.0)
GROUP = 4
"""Neighbouring bands or oscillators that a profile puts together."""
SMALL = 0.05
"""Difference of an actuator by which slopes are taken."""
BURST_EDGES = np.geomspace(60, 20000, 9)


def profile_of(pattern: Pattern, strokes: Strokes, gains: Array, config: HitNetConfig) -> Array:
    """Sum up what a loop is made of.

    Parameters
    ----------
    pattern : Pattern
        For its density and tempo.
    strokes : Strokes
        The distinct strokes of the loop.
    gains : ndarray of float32, shape (strokes,)
        Root of the summed squared amplitudes of the hits that use each stroke.
    config : HitNetConfig

    Returns
    -------
    ndarray of float32, shape (profile,)
        Log energies relative to their sum, then hits a second and length.
    """
    age = config.frame_seconds
    duration = np.gradient(age).astype(np.float32)
    weight = np.square(gains)[:, None, None] * duration
    noise = (np.exp(2 * strokes.noise) * weight).sum(axis=0)
    amplitudes = np.square(strokes.tones)
    tones = (0.5 * (amplitudes[:, : config.oscillators] + amplitudes[:, config.oscillators :]) * weight).sum(axis=0)
    ages = np.searchsorted(AGE_EDGES, age, side="right") - 1
    pooled = [_pool(noise, ages), _pool(tones, ages)]
    spectrum = np.square(np.abs(np.fft.rfft(strokes.burst, 1024))) / 512 / 44100
    hertz = np.fft.rfftfreq(1024, 1 / 44100)
    energy = (spectrum * np.square(gains)[:, None]).sum(axis=0)
    pooled.append(np.histogram(hertz, BURST_EDGES, weights=energy)[0])
    flat = np.concatenate([part.ravel() for part in pooled])
    relative = np.log10(flat / max(float(flat.sum()), 1e-12) + 1e-7)
    rates = [sum(hit.voice in voices for hit in pattern.hits) / pattern.seconds for voices in STEMS.values()]
    extra = [*np.log1p(rates), np.log(pattern.seconds), np.log(sum(rates) + 0.1)]
    return np.concatenate([relative, extra]).astype(np.float32)


def _pool(energy: Array, ages: NDArray[np.int64]) -> Array:
    groups = energy.reshape(-1, GROUP, energy.shape[1]).sum(axis=1)
    pooled: Array = np.stack([groups[:, ages == a].sum(axis=1) for a in range(len(AGE_EDGES) - 1)], axis=1)
    return pooled


class TimbreNet:
    """The trained networks.

    Parameters
    ----------
    weights : Mapping from name to ndarray of float32
        ``mean`` and ``scale`` of profiles, ``ear.<k>.<layer>``, ``hand.<layer>``.
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self._ears = sorted({name.split(".")[1] for name in weights if name.startswith("ear.")})

    def features(self, profile: Array, actuators: Array) -> Array:
        """Predict the 21 features, 0..1 and beyond, in the order of `TIMBRE_NAMES`."""
        x = np.concatenate([self._standard(profile), actuators])
        heard: Array = np.mean([self._mlp(f"ear.{ear}", x) for ear in self._ears], axis=0, dtype=np.float32)
        return heard

    def natural(self, profile: Array) -> Array:
        """Predict the features of a loop that is left as it is."""
        return self.features(profile, np.zeros(len(ACTUATORS), np.float32))

    def slopes(self, profile: Array, actuators: Array) -> Array:
        """Predict how far each feature moves with each actuator, shape (21, actuators), by small differences."""
        here = self.features(profile, actuators)
        moved = actuators + SMALL * np.eye(len(actuators), dtype=np.float32)
        return np.stack([(self.features(profile, each) - here) / np.float32(SMALL) for each in moved], axis=1)

    def actuators(self, profile: Array, change: Array) -> Array:
        """Choose actuators that move the features by `change`.

        Parameters
        ----------
        profile : ndarray of float32, shape (profile,)
        change : ndarray of float32, shape (21,)
            Asked minus natural; zeros where a feature shall stay.

        Returns
        -------
        ndarray of float32, shape (actuators,)
            Within `LIMITS`; all zeros if nothing is to change.
        """
        x = self._standard(profile)
        raw = self._mlp("hand", np.concatenate([x, change])) - self._mlp("hand", np.concatenate([x, 0 * change]))
        moved: Array = (LIMITS * np.tanh(raw / LIMITS)).astype(np.float32)
        return moved

    def _standard(self, profile: Array) -> Array:
        result: Array = np.clip((profile - self._weights["mean"]) / self._weights["scale"], -4, 4)
        return result

    def _mlp(self, name: str, x: Array) -> Array:
        layer = 0
        while f"{name}.{layer}.weight" in self._weights:
            if layer:
                x = x / (1 + np.exp(-x))
            x = self._weights[f"{name}.{layer}.weight"] @ x + self._weights[f"{name}.{layer}.bias"]
            layer += 1
        return x


def as_vector(features: Mapping[str, float]) -> Array:
    """Put named features in the order of `TIMBRE_NAMES`."""
    return np.array([features[name] for name in TIMBRE_NAMES], np.float32)


def as_mapping(vector: NDArray[np.floating]) -> dict[str, float]:
    """Name the features of a vector."""
    return {name: float(value) for name, value in zip(TIMBRE_NAMES, vector, strict=True)}
