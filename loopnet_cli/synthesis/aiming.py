"""Aiming at timbre by ear: render with some actuators, measure the features, correct.

What the networks expect of a change is right in direction and rough in size; what comes out tells the rest. Costs
a measurement a step, about half a second a bar, where the networks alone cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.synthesis.shaping import ACTUATORS, LIMITS

Array = NDArray[np.float32]
Measure = Callable[[Array], Array]
"""From actuators, shape (actuators,), to the 21 features that the loop then has, as knob values."""
Hand = Callable[[Array], Array]
"""From a change of the 21 features to the actuators that should bring it about."""
Slopes = Callable[[Array], Array]
"""From actuators to how the features are expected to move with each of them, shape (21, actuators)."""

STEP = 0.7
"""Share of the way to what would be right if the slopes were."""
ASKED_WEIGHT = 6.0
"""Of the squared error of a feature that is asked for, against one that is to stay."""
RIDGE = 0.3
"""What moving an actuator through its whole range costs, in squared knob values: no actuator does much for little."""


def nearest_step(asked: Array, measure: Measure, hand: Hand, shares: Sequence[float]) -> Array:
    """Go towards all features at once, as far as it helps.

    Parameters
    ----------
    asked : ndarray of float32, shape (21,)
    measure, hand
        See above.
    shares : sequence of float
        Of the way; each is measured.

    Returns
    -------
    ndarray of float32, shape (actuators,)
        Zeros where no step brings the features closer.
    """
    best = np.zeros(len(ACTUATORS), np.float32)
    natural = measure(best)
    least = float(np.abs(asked - natural).mean())
    for share in shares:
        vector = hand(np.float32(share) * (asked - natural))
        error = float(np.abs(asked - measure(vector)).mean())
        if error < least:
            best, least = vector, error
    return best


def refined(
    start: Array, value: Array, *, given: NDArray[np.bool_], relative: NDArray[np.bool_],
    measure: Measure, slopes: Slopes, rounds: int,
) -> tuple[Array, Array]:  # fmt: skip
    """Correct actuators until the features that are asked for are measured, and the others stay.

    Gauss-Newton with the slopes of the network that foresees the features, on the errors that are measured.

    Parameters
    ----------
    start : ndarray of float32, shape (actuators,)
        What the network of the knobs proposes; kept if nothing better is found.
    value : ndarray of float32, shape (21,)
        What is asked for.
    given, relative : ndarray of bool, shape (21,)
        Which features are asked for, and of which `value` is a change of what the loop has by itself.
    measure, slopes
        See above.
    rounds : int
        Of rendering, measuring and correcting; two measurements come before.

    Returns
    -------
    actuators : ndarray of float32, shape (actuators,)
        Those of the round that came closest.
    target : ndarray of float32, shape (21,)
        What was aimed at: for features that are not asked for, what is measured in the loop by itself.
    """
    natural = measure(np.zeros_like(start))
    target: Array = np.where(given, np.where(relative, natural + value, value), natural).astype(np.float32)
    weights = np.sqrt(np.where(given, ASKED_WEIGHT, 1.0))
    vector, error = start, target - measure(start)
    best, least = vector, _off(error, given)
    for _ in range(rounds):
        steep = slopes(vector) * LIMITS * weights[:, None]
        step = np.linalg.solve(steep.T @ steep + RIDGE * np.eye(len(vector)), steep.T @ (weights * error))
        vector = np.clip(vector + STEP * LIMITS * step, -LIMITS, LIMITS).astype(np.float32)
        error = target - measure(vector)
        if (off := _off(error, given)) < least:
            best, least = vector, off
    return best, target


def _off(error: Array, given: NDArray[np.bool_]) -> float:
    """Mean error of what is asked for, twice, and of what is to stay."""
    asked, others = np.abs(error[given]), np.abs(error[~given])
    return 2 * float(asked.mean()) + (float(others.mean()) if others.size else 0.0)
