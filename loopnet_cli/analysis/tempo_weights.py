"""Weights of the evidence for a loop's tempo, as `python -m loopnet_cli.analysis.tempo_fit` gave them."""

from __future__ import annotations

WEIGHTS: dict[str, float] = {
    "usual tempo": 5.000,
    "doubling": 0.508,
    "odd bars": -1.133,
    "one bar": 0.278,
    "beat": 0.353,
    "quarter beat": 1.824,
    "bar": 1.065,
    "half bar": 0.749,
    "on beat": 2.971,
    "off beat": 0.227,
    "backbeat": 0.261,
    "percival": 1.655,
    "loop": 1.020,
    "extractors": 0.149,
    "octaves": 1.634,
}
WEIGHTS_WITH_MADMOM: dict[str, float] = {
    "usual tempo": 5.000,
    "doubling": 0.501,
    "odd bars": -1.192,
    "one bar": 0.175,
    "beat": 0.000,
    "quarter beat": 2.130,
    "bar": 0.618,
    "half bar": 0.530,
    "on beat": 2.416,
    "off beat": 0.267,
    "backbeat": 0.395,
    "percival": 1.748,
    "loop": 0.791,
    "extractors": 0.022,
    "octaves": 1.199,
    "madmom tempo": 0.753,
    "madmom octave": 0.196,
    "madmom beats": 2.412,
    "madmom offbeats": 0.038,
    "madmom downbeats": 5.830,
}
