"""The training material on disk: one-shots by kit and voice, tonal notes by instrument.

Layout
------
``oneshots/<kit>/<voice>_<nn>.flac`` and ``tonal/<instrument>/<midi note>.flac``,
mono, 44.1 kHz, trimmed to the onset. Within a kit the relative levels are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.splits import held_out
from loopnet_cli.errors import LoopnetError
from loopnet_cli.pattern import VOICES

SAMPLE_RATE = 44100
MAX_SECONDS = 3.0
LAYERED = re.compile(r"^(gogodze2_|muldjord_|fs_)")
"""Kits whose numbered one-shots are one drum struck softer and harder, not different drums."""

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Instrument:
    """One drum: its strokes from soft to hard (just one for most kits), each at its own level."""

    kit: str
    voice: str
    layers: tuple[Audio, ...]

    @property
    def loudest(self) -> Audio:
        """The hardest stroke."""
        return self.layers[-1]


@dataclass(frozen=True)
class Corpus:
    """All one-shots of one side of the split.

    Attributes
    ----------
    kits : dict of kit name to dict of voice to list of Instrument
        Voices that a kit lacks are absent.
    tonal : dict of instrument name to dict of MIDI note to audio
        Sustained or plucked notes for bass and chord layers.
    """

    kits: dict[str, dict[str, list[Instrument]]]
    tonal: dict[str, dict[int, Audio]] = field(default_factory=dict)

    def instruments(self, voice: str) -> list[Instrument]:
        """Return every instrument of one voice, kit by kit."""
        return [instrument for kit in self.kits.values() for instrument in kit.get(voice, [])]

    @property
    def full_kits(self) -> list[str]:
        """Kits that have a kick, a snare and a closed hat."""
        return [name for name, kit in self.kits.items() if {"kick", "snare", "hat_closed"} <= kit.keys()]


def load_corpus(root: Path, *, test: bool = False) -> Corpus:
    """Read one side of the split into memory (about 350 MB for the training side).

    Parameters
    ----------
    root : Path
        Folder with ``oneshots`` and ``tonal``.
    test : bool
        The held-out side instead of the training side.

    Returns
    -------
    Corpus
        Kits and tonal instruments in alphabetical order.

    Raises
    ------
    LoopnetError
        If the folder holds no one-shots.
    """
    kits: dict[str, dict[str, list[Instrument]]] = {}
    for folder in _folders(root / "oneshots"):
        if (folder.name in held_out("kits")) == test:
            kits[folder.name] = _read_kit(folder)
    if not kits:
        raise LoopnetError(f"{root}: no one-shots found: expected {root}/oneshots/<kit>/<voice>_<nn>.flac")
    tonal: dict[str, dict[int, Audio]] = {}
    for folder in _folders(root / "tonal"):
        if (folder.name in held_out("tonal")) == test:
            tonal[folder.name] = {int(path.stem): _read(path) for path in sorted(folder.glob("*.flac"))}
    return Corpus(kits, tonal)


def _folders(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.glob("*")) if path.is_dir())


def _read(path: Path) -> Audio:
    import soundfile

    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != SAMPLE_RATE:
        raise LoopnetError(f"{path}: sample rate {rate} Hz, expected {SAMPLE_RATE}")
    mono: Audio = audio.mean(axis=1)[: int(MAX_SECONDS * SAMPLE_RATE)]
    return mono


def _read_kit(folder: Path) -> dict[str, list[Instrument]]:
    strokes: dict[str, list[Audio]] = {}
    for path in sorted(folder.glob("*.flac")):
        voice = path.stem.rpartition("_")[0]
        audio = _read(path)
        if voice in VOICES and float(np.abs(audio).max(initial=0.0)) > 1e-3:
            strokes.setdefault(voice, []).append(audio)
    kit: dict[str, list[Instrument]] = {}
    for voice, layers in strokes.items():
        if LAYERED.match(folder.name):
            by_level = sorted(layers, key=lambda a: float(np.abs(a).max()))
            kit[voice] = [Instrument(folder.name, voice, tuple(by_level))]
        else:
            kit[voice] = [Instrument(folder.name, voice, (layer,)) for layer in layers]
    return kit
