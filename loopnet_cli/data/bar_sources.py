"""Where rendered bars come from: one-shots and grooves of the training material, or the bundled studio model.

Each source is of one side, training or test, and gives the same bar for the same number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES, Knob
from loopnet_cli.data.grooves import Grooves
from loopnet_cli.data.patterns import MadeUp, MidiBars
from loopnet_cli.data.rows import STUDIO_RATE, TEMPO
from loopnet_cli.pattern.model import Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEST_KITS = 8
"""Of so many kits of the bank, in the order of their names, the last is for test bars alone."""
KNOBS, MOST_TURN = (0, 1, 2, 3, 5), 0.6
TUNED = 0.3
"""Share of bars that are tuned to a chord."""
CHORDS = ((0,), (0, 7), (0, 4, 7), (0, 3, 7))


@dataclass(frozen=True)
class Rendered:
    """A bar: what is played, how it sounds (44.1 kHz, mono), which kits play."""

    pattern: Pattern
    audio: NDArray[np.float32]
    kits: tuple[str, ...]


class BarSource(Protocol):
    """Renders bars."""

    def bar(self, number: int) -> Rendered:
        """Render bar `number` of the endless list that the seed means."""


class _BarsOfFour(Grooves):
    """Grooves in 4/4, at the tempo of the data set."""

    def draw(self, rng: np.random.Generator, *, bars: int = 1) -> Pattern:
        """Draw until the meter is right."""
        while True:
            pattern = super().draw(rng, bars=bars)
            if pattern.meter == (4, 4):
                return replace(pattern, tempo=TEMPO)


class MaterialBars:
    """Bars from one-shots and grooves, split as `loopnet_cli.data.splits` says.

    Parameters
    ----------
    root : Path
        The training material.
    test : bool
        The held-out side instead of the training side.
    seed : int
    """

    def __init__(self, root: Path, *, test: bool, seed: int) -> None:
        from loopnet_cli.data.corpus import load_corpus
        from loopnet_cli.data.renderer import BarRenderer

        self._renderer = BarRenderer(load_corpus(root, test=test), _BarsOfFour(root, test=test), seed=seed)

    def bar(self, number: int) -> Rendered:
        """Render a bar."""
        bar = self._renderer.bar(number)
        return Rendered(bar.pattern, bar.audio, tuple(sorted({drum.instrument.kit for drum in bar.drums.values()})))


class StudioBars:
    """Bars of the studio model: any kit of its bank, some knobs turned.

    Parameters
    ----------
    patterns : Path or None
        A folder of MIDI files; None for bars made up.
    test : bool
        Kits (and MIDI files) that no training bar is made with.
    seed : int
    """

    def __init__(self, patterns: Path | None, *, test: bool, seed: int) -> None:
        from loopnet_cli import synthesis

        self._model = synthesis.load_studio()
        self._patterns = MadeUp() if patterns is None else MidiBars(patterns, test=test)
        self._seed = seed
        names = sorted(self._model.kit_names)
        held = names[TEST_KITS - 1 :: TEST_KITS] or names[-1:]
        self._kits = held if test else [name for name in names if name not in held] or names

    def bar(self, number: int) -> Rendered:
        """Render a bar."""
        rng = np.random.default_rng([self._seed, number])
        pattern = self._patterns.draw(rng, TEMPO)
        kit = self._model.kit(str(rng.choice(self._kits)))
        turned = rng.choice(TIMBRE_NAMES, size=int(rng.choice(KNOBS)), replace=False)
        timbre = {str(name): Knob(float(rng.uniform(-MOST_TURN, MOST_TURN)), relative=True) for name in turned}
        chroma = None
        if rng.random() < TUNED:
            root, chosen = int(rng.integers(12)), CHORDS[int(rng.integers(len(CHORDS)))]
            chord = [(root + note) % 12 for note in chosen]
            chroma = [float(note in chord) for note in range(len(PITCH_CLASSES))]
        loop = self._model.render(pattern, kit=kit, timbre=timbre, chroma=chroma, seed=int(rng.integers(2**31)))
        gain = np.float32(10 ** (float(rng.uniform(-5, 0)) / 20))
        assert loop.sample_rate == STUDIO_RATE
        return Rendered(pattern, loop.audio * gain, (kit.name,))
