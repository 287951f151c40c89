"""From AudioCommons points to knob values: 0 and 1 are the 5th and 95th percentile of the training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import TIMBRE_NAMES

LOW_PERCENTILE, HIGH_PERCENTILE = 5.0, 95.0


@dataclass(frozen=True)
class Normalisation:
    """The range of each timbre feature, stored with the weights.

    Attributes
    ----------
    low, high : Mapping from feature name to float
        AudioCommons points that stand for 0 and 1.
    """

    low: Mapping[str, float]
    high: Mapping[str, float]

    def to_unit(self, raw: Mapping[str, float], *, clip: bool = False) -> dict[str, float]:
        """Turn points into knob values, by name; values outside 0..1 are kept unless `clip`."""
        unit = {}
        for name, value in raw.items():
            scaled = (value - self.low[name]) / (self.high[name] - self.low[name])
            unit[name] = min(max(scaled, 0.0), 1.0) if clip else scaled
        return unit

    def from_unit(self, unit: Mapping[str, float]) -> dict[str, float]:
        """Turn knob values into points, by name."""
        return {name: self.low[name] + value * (self.high[name] - self.low[name]) for name, value in unit.items()}

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return plain values for storage."""
        return {"low": dict(self.low), "high": dict(self.high)}

    @staticmethod
    def from_dict(stored: Mapping[str, Mapping[str, float]]) -> Normalisation:
        """Read what `to_dict` wrote.

        Raises
        ------
        KeyError, ValueError
            If a feature is missing or its range is empty.
        """
        low = {name: float(stored["low"][name]) for name in TIMBRE_NAMES}
        high = {name: float(stored["high"][name]) for name in TIMBRE_NAMES}
        for name in TIMBRE_NAMES:
            if not low[name] < high[name]:
                raise ValueError(f"range of {name} is empty: {low[name]} to {high[name]}")
        return Normalisation(low, high)

    @staticmethod
    def from_percentiles(points: NDArray[np.floating]) -> Normalisation:
        """Take the range from measured bars, shape (bars, 21), columns in the order of `TIMBRE_NAMES`."""
        low, high = np.percentile(points, [LOW_PERCENTILE, HIGH_PERCENTILE], axis=0)
        return Normalisation(
            {name: round(float(value), 4) for name, value in zip(TIMBRE_NAMES, low, strict=True)},
            {name: round(float(value), 4) for name, value in zip(TIMBRE_NAMES, high, strict=True)},
        )
