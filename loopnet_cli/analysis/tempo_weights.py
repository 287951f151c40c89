"""Weights of the evidence for a loop's tempo, as `python -m loopnet_cli.analysis.tempo_fit` gave them."""

from __future__ import annotations

WEIGHTS: dict[str, float] = {
    "usual tempo": 5.000,
    "doubling": 0.605,
    "odd bars": -0.955,
    "one bar": 0.406,
    "beat": 0.285,
    "quarter beat": 1.282,
    "bar": 1.007,
    "half bar": 0.767,
    "on beat": 2.015,
    "off beat": 0.223,
    "backbeat": 0.374,
    "percival": 1.337,
    "loop": 1.210,
    "extractors": 0.046,
    "octaves": 1.124,
}
WEIGHTS_WITH_MADMOM: dict[str, float] = {
    "usual tempo": 5.000,
    "doubling": 0.478,
    "odd bars": -0.958,
    "one bar": 0.404,
    "beat": 0.052,
    "quarter beat": 1.406,
    "bar": 0.905,
    "half bar": 0.582,
    "on beat": 1.578,
    "off beat": 0.290,
    "backbeat": 0.410,
    "percival": 1.299,
    "loop": 1.043,
    "extractors": 0.051,
    "octaves": 1.032,
    "madmom tempo": 0.000,
    "madmom octave": 0.000,
    "madmom beats": 2.227,
    "madmom offbeats": -0.722,
    "madmom downbeats": 4.661,
}
