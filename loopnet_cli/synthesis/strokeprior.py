"""What strokes are like before one is heard: a Gaussian over codes for each voice, from the training kits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis import descriptor
from loopnet_cli.synthesis.bank import load_weights

Array = NDArray[np.float32]

WEIGHTS_FILE = "strokes.safetensors"
FORMAT_VERSION = "1"
UNIT_DB = 20.0
"""A descriptor is in units of 20 dB."""
CELL_DB = 5.0
"""Error of a measured cell, added to what codes cannot express."""
TEMPER = 0.15
"""Neighbouring cells err alike: the evidence counts as if there were so many times fewer."""
LEVEL_SPREAD_DB = 12.0


@dataclass(frozen=True)
class StrokePrior:
    """What strokes are like in the training kits.

    Attributes
    ----------
    mean : ndarray of float32, shape (descriptor,)
        Descriptor of a code of zeros.
    directions : ndarray of float32, shape (descriptor, code)
        What each number of a code adds.
    residual : ndarray of float32, shape (descriptor,)
        Standard deviation of what codes cannot express.
    centres : ndarray of float32, shape (voices, code)
        Mean code of each voice.
    covariances : ndarray of float32, shape (voices, code, code)
        Of the codes of each voice.
    """

    mean: Array
    directions: Array
    residual: Array
    centres: Array
    covariances: Array

    @classmethod
    def load(cls, folder: Path | None = None) -> StrokePrior:
        """Load what comes with the package.

        Raises
        ------
        WeightsError
            If the file is missing, damaged or of another version.
        """

        def build(_metadata: Mapping[str, str], tensors: Mapping[str, Array]) -> StrokePrior:
            prior = cls(*(tensors[field.name] for field in fields(cls)))
            code = prior.centres.shape[-1]
            expected = (descriptor.SIZE, code), (len(VOICES), code, code)
            if (prior.directions.shape, prior.covariances.shape) != expected:
                raise ValueError("made for other descriptors than this version's")
            return prior

        return load_weights(WEIGHTS_FILE, FORMAT_VERSION, build, folder)

    @cached_property
    def _precisions(self) -> NDArray[Any]:
        return np.linalg.inv(self.covariances.astype(np.float64))

    def decode(self, code: Array, level_db: float) -> Array:
        """Return the descriptor of a stroke, not scaled to its peak, shape (descriptor,)."""
        described: Array = self.mean + self.directions @ code + np.float32(level_db / UNIT_DB)
        return described

    def fit(self, voice: str, seen: Array, weights: Array | None, level_db: float) -> tuple[Array, float]:
        """Find the likeliest stroke of a voice, given what was measured.

        Parameters
        ----------
        voice : str
        seen : ndarray of float32, shape (descriptor,)
            Measured log powers, not scaled to the peak.
        weights : ndarray of float32, shape (descriptor,), or None
            How much each cell counts, 0..1; all alike if None.
        level_db : float
            What the level is about.

        Returns
        -------
        code : ndarray of float32, shape (code,)
        level_db : float
            Maximum of the posterior of the Gaussian, linear in both.
        """
        row = VOICES.index(voice)
        basis = np.concatenate([self.directions, np.ones((len(self.mean), 1))], axis=1).astype(np.float64)
        precision = TEMPER / (self.residual.astype(np.float64) ** 2 + (CELL_DB / UNIT_DB) ** 2)
        if weights is not None:
            precision = precision * weights
        system = np.zeros((basis.shape[1],) * 2)
        system[:-1, :-1] = self._precisions[row]
        system[-1, -1] = (UNIT_DB / LEVEL_SPREAD_DB) ** 2
        right = system @ np.append(self.centres[row], level_db / UNIT_DB)
        system += basis.T @ (precision[:, None] * basis)
        right += basis.T @ (precision * (seen - self.mean))
        solved = np.linalg.solve(system, right)
        return solved[:-1].astype(np.float32), float(solved[-1]) * UNIT_DB
