"""Bars of 4/4 to render: made up from styles, or cut from MIDI files."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from loopnet_cli.errors import PatternError, UsageError
from loopnet_cli.pattern.model import Hit, Pattern

STEPS = 16
STYLES: dict[str, dict[str, str]] = {
    "four on the floor": {
        "kick": "9000900090009002", "clap": "0000900000009000", "hat_closed": "5252525252525252",
        "hat_open": "0080008000800080", "perc": "0002002100020021",
    },
    "rock": {
        "kick": "9000001297200010", "snare": "0000910100009101", "hat_closed": "9090909090909090",
        "crash": "2000000000000000", "tom": "0000000000000011",
    },
    "hip hop": {
        "kick": "9021002093210020", "snare": "0000900100009001", "hat_closed": "8383838383838383",
        "hat_open": "0000001000000020", "rim": "0001000000100000",
    },
    "breakbeat": {
        "kick": "9090000000950000", "snare": "0000900301019003", "hat_closed": "9191919191919191",
        "ride": "2020202020202020", "tom": "0000000000000002",
    },
    "half time": {
        "kick": "9002003000120020", "snare": "0100000192000102", "hat_closed": "8282838282828382",
        "hat_open": "0000000000000010", "crash": "1000000000000000",
    },
    "electro": {
        "kick": "9003009000300300", "snare": "0000900000009002", "clap": "0000500000005000",
        "hat_closed": "6464646464646464", "rim": "0010020100100201",
    },
    "latin": {
        "kick": "9003900390039003", "rim": "9002002090200200", "hat_closed": "8282828282828282",
        "perc": "6026060260260602", "tom": "0000002000000033",
    },
}  # fmt: skip
"""How likely each sixteenth is struck, in tenths: 9 nearly always, 0 never. Likely strokes are the loud ones."""
SURE = 0.97
GHOST, ACCENT = 0.3, 0.92
LEAST_HITS = 3
ATTEMPTS = 2000


class MadeUp:
    """Draws bars in the styles of `STYLES`, with slips in time and strength."""

    def draw(self, rng: np.random.Generator, tempo: float) -> Pattern:
        """Draw a bar of 4/4 at a tempo."""
        style = STYLES[str(rng.choice(list(STYLES)))]
        density = float(rng.uniform(0.6, 1.4))
        swing = float(rng.choice([0.0, 0.0, 0.0, rng.uniform(0.04, 0.16)]))
        late = float(rng.choice([0.0, 0.004, 0.012])) * tempo / 60  # seconds to beats
        drums = [voice for voice in style if voice == "kick" or rng.random() < 0.85]
        hits = {}
        for voice in drums:
            for step, digit in enumerate(style[voice]):
                chance = SURE if digit == "9" else min(SURE, int(digit) / 10 * density)
                if rng.random() >= chance:
                    continue
                shift = (swing if step % 2 else 0.0) * 0.25 + float(rng.normal(0, late))
                velocity = GHOST + (ACCENT - GHOST) * (int(digit) / 9) ** 0.7 + float(rng.normal(0, 0.07))
                beat = (step / 4 + shift) % 4.0
                hits[voice, step] = Hit(beat % 4.0, voice, float(np.clip(velocity, 0.08, 1.0)))
        if len(hits) < LEAST_HITS:
            return self.draw(rng, tempo)
        return Pattern(tuple(hits.values()), 1, (4, 4), tempo)


class MidiBars:
    """Draws bars from a folder of MIDI files; a tenth of the files is for test bars alone.

    Parameters
    ----------
    folder : Path
        With all that is in it.
    test : bool
        Whether to draw from the test files.

    Raises
    ------
    UsageError
        If there are fewer than two MIDI files.
    """

    def __init__(self, folder: Path, *, test: bool) -> None:
        self.folder = folder
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi") and p.is_file())
        if len(paths) < 2:
            raise UsageError(f"{folder}: {len(paths)} MIDI files: at least 2 are needed, one of them for test bars")
        by_name = sorted(paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest())
        count = max(1, round(len(paths) / 10))
        self.paths = sorted(by_name[:count] if test else by_name[count:])
        self._read: dict[Path, Pattern | None] = {}

    def draw(self, rng: np.random.Generator, tempo: float) -> Pattern:
        """Draw a bar in 4/4, at a tempo whatever its own.

        Raises
        ------
        UsageError
            If none can be found.
        """
        for _ in range(ATTEMPTS):
            whole = self._pattern(self.paths[int(rng.integers(len(self.paths)))])
            if whole is None or whole.meter != (4, 4):
                continue
            start = 4.0 * int(rng.integers(whole.bars))
            hits = tuple(replace(hit, beat=hit.beat - start) for hit in whole.hits if start <= hit.beat < start + 4)
            if len(hits) >= LEAST_HITS:
                return Pattern(hits, 1, (4, 4), tempo)
        raise UsageError(f"{self.folder}: no bar of 4/4 with {LEAST_HITS} hits or more in its MIDI files")

    def _pattern(self, path: Path) -> Pattern | None:
        from loopnet_cli.pattern.midi import read_midi

        if path not in self._read:
            try:
                self._read[path] = read_midi(path).pattern
            except PatternError:
                self._read[path] = None
        return self._read[path]
