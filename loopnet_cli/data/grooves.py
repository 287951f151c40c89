"""Patterns to train and test on: bars cut from the groove collection, split by performance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from loopnet_cli.data.splits import held_out
from loopnet_cli.errors import LoopnetError, PatternError
from loopnet_cli.pattern import Hit, Pattern
from loopnet_cli.pattern.midi import read_midi

TEMPO_RANGE = (60.0, 200.0)
MIN_HITS_A_BAR = 3


class Grooves:
    """Draws bars from the MIDI files of one side of the split; files are read when first drawn.

    Parameters
    ----------
    root : Path
        The training material, with ``grooves/*.mid``.
    test : bool
        The held-out side instead of the training side.

    Raises
    ------
    LoopnetError
        If there are no MIDI files.
    """

    def __init__(self, root: Path, *, test: bool = False) -> None:
        held = held_out("grooves")
        self.paths = [p for p in sorted((root / "grooves").glob("*.mid")) if (p.name in held) == test]
        if not self.paths:
            raise LoopnetError(f"{root}/grooves: no MIDI files found")
        self._read: dict[Path, Pattern | None] = {}

    def draw(self, rng: np.random.Generator, *, bars: int = 1) -> Pattern:
        """Draw `bars` consecutive bars at the tempo of their groove, or near it.

        Drum-machine patterns carry no tempo of their own and get one between 60 and 200 BPM.
        """
        while True:
            path = self.paths[int(rng.integers(len(self.paths)))]
            whole = self._pattern(path)
            if whole is None:
                continue
            first = int(rng.integers(max(1, whole.bars - bars + 1)))
            start = first * whole.beats_per_bar
            length = min(bars, whole.bars) * whole.beats_per_bar
            hits = tuple(replace(h, beat=h.beat - start) for h in whole.hits if start <= h.beat < start + length)
            if len(hits) < MIN_HITS_A_BAR * min(bars, whole.bars):
                continue
            machine = not path.name.startswith("gmd_")
            tempo = float(rng.uniform(*TEMPO_RANGE)) if machine else whole.tempo * float(rng.uniform(0.94, 1.06))
            pattern = replace(whole, hits=hits, bars=min(bars, whole.bars), tempo=float(np.clip(tempo, *TEMPO_RANGE)))
            return self._humanised(pattern, rng) if machine else pattern

    def _pattern(self, path: Path) -> Pattern | None:
        if path not in self._read:
            try:
                self._read[path] = read_midi(path).pattern
            except PatternError:
                self._read[path] = None
        return self._read[path]

    @staticmethod
    def _humanised(pattern: Pattern, rng: np.random.Generator) -> Pattern:
        """Give a drum-machine pattern accents; half of them keep exact time."""
        late = float(rng.choice([0.0, 0.0, 0.004, 0.012]))
        hits = []
        for hit in pattern.hits:
            velocity = float(np.clip(hit.velocity * rng.uniform(0.75, 1.1), 0.05, 1.0))
            beat = (hit.beat + float(rng.normal(0, late))) % pattern.beats
            hits.append(Hit(beat % pattern.beats, hit.voice, velocity))
        return replace(pattern, hits=tuple(hits))
