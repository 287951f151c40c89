"""What a data set holds: bars of one length with their features, and the loops that they were cut from.

A bar is four beats at `TEMPO`. It is kept at two sample rates: 16 kHz for the paper's models and 44.1 kHz for
everything else. Features are named, never numbered: `COLUMNS` is what a store's attributes are compared with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE
from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.pattern.model import Hit, Pattern
from loopnet_cli.synthesis.papernet import PAPER_SAMPLES, PAPER_TEMPO

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEMPO = PAPER_TEMPO
BEATS = 4
"""A bar of 4/4."""
STUDIO_RATE = 44100
STUDIO_SAMPLES = round(60 / TEMPO * BEATS * STUDIO_RATE)
FRAMES = int(np.ceil(60 / TEMPO * BEATS * FRAME_RATE))
"""Activation frames of a bar; the last one reaches into the next bar."""
TRAIN, TEST = 0, 1
SPLITS: tuple[str, ...] = ("train", "test")
COLUMNS: dict[str, tuple[str, ...]] = {"activations": ACTIVATIONS, "chroma": PITCH_CLASSES, "timbre": TIMBRE_NAMES}
FULL_SCALE = 32767.0


@dataclass(frozen=True)
class LoopInfo:
    """A loop of a data set; each field is a column of the store's group ``loops``.

    Attributes
    ----------
    name : str
        File name, or the number of a rendered loop.
    source : str
        The file as it was given, or the kits that were played.
    split : str
        ``train`` or ``test``.
    tempo : float
        Quarter notes per minute before stretching, folded if that was asked.
    tempo_from : str
        Where the tempo is from: ``table``, ``acid chunk``, ``file name``, ``estimate`` or ``rendered``.
    confidence : float
        How near its length comes to whole beats, 0..1.
    folded : float
        What the tempo was multiplied by to lie in range: 1, 2, 0.5, ...
    sample_rate : int
        At which its features were measured, Hz.
    seconds : float
        Length before stretching, of the part that was used.
    beats : int
        Length in quarter notes; what is left after its last whole bar is not stored.
    bars : int
        Rows of the store that are from it: silent bars are left out.
    sha256 : str
        Of the file's content; empty where rendered.
    """

    name: str
    source: str
    split: str
    tempo: float
    tempo_from: str
    confidence: float
    folded: float
    sample_rate: int
    seconds: float
    beats: int
    bars: int
    sha256: str = ""


@dataclass(frozen=True)
class Rejected:
    """A file that was left out; each field is a column of the store's group ``rejected``.

    Attributes
    ----------
    source : str
        The file as it was given.
    reason : str
        In few words, the same for all that have it.
    detail : str
        What was found in this one.
    """

    source: str
    reason: str
    detail: str


REJECTED_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Rejected))

LOOP_FIELDS: dict[str, type] = {
    field.name: {"str": str, "float": float, "int": int}[str(field.type)] for field in fields(LoopInfo)
}
"""Columns of the group ``loops``, with their types."""


@dataclass(frozen=True)
class Rows:
    """Bars as they are stored.

    Attributes
    ----------
    audio_paper : ndarray of int16, shape (n, PAPER_SAMPLES)
    audio_studio : ndarray of int16, shape (n, STUDIO_SAMPLES), or None
    activations : ndarray of float32, shape (n, FRAMES, 3)
        0..1, 100 frames a second.
    envelope : ndarray of float16, shape (n, PAPER_SAMPLES)
    chroma : ndarray of float32, shape (n, 12)
    timbre : ndarray of float32, shape (n, 21)
        AudioCommons points.
    loop : ndarray of int32, shape (n,)
        Which of the loops that come with the rows; in a store, the row of ``loops``.
    bar : ndarray of int16, shape (n,)
        Which bar of its loop.
    patterns : tuple of str
        What is played, as `pattern_text` writes it: exact where rendered, else as heard; empty if not known.
    """

    audio_paper: NDArray[np.int16]
    audio_studio: NDArray[np.int16] | None
    activations: NDArray[np.float32]
    envelope: NDArray[np.float16]
    chroma: NDArray[np.float32]
    timbre: NDArray[np.float32]
    loop: NDArray[np.int32]
    bar: NDArray[np.int16]
    patterns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.loop)


ROW_SHAPES: dict[str, tuple[tuple[int, ...], str]] = {
    "audio_paper": ((PAPER_SAMPLES,), "int16"),
    "audio_studio": ((STUDIO_SAMPLES,), "int16"),
    "activations": ((FRAMES, len(ACTIVATIONS)), "float32"),
    "envelope": ((PAPER_SAMPLES,), "float16"),
    "chroma": ((len(PITCH_CLASSES),), "float32"),
    "timbre": ((len(TIMBRE_NAMES),), "float32"),
    "loop": ((), "int32"),
    "bar": ((), "int16"),
}
"""Shape of a row and type of each array."""


def to_int16(audio: NDArray[np.float32]) -> NDArray[np.int16]:
    """Store audio of -1..1 as 16 bits."""
    stored: NDArray[np.int16] = np.clip(np.rint(audio * FULL_SCALE), -FULL_SCALE, FULL_SCALE).astype(np.int16)
    return stored


def to_float(audio: NDArray[np.int16]) -> NDArray[np.float32]:
    """Undo `to_int16`."""
    return audio.astype(np.float32) / np.float32(FULL_SCALE)


def stack_rows(rows: list[dict[str, object]], *, studio: bool) -> Rows:
    """Stack bars, each a mapping from the names of `ROW_SHAPES`, to `Rows`; none give `Rows` of length 0."""
    arrays: dict[str, Any] = {
        name: np.array([row[name] for row in rows], dtype=kind).reshape(len(rows), *shape)
        for name, (shape, kind) in ROW_SHAPES.items()
        if studio or name != "audio_studio"
    }
    return Rows(**{"audio_studio": None, **arrays}, patterns=tuple(str(row["pattern"]) for row in rows))


def pattern_text(pattern: Pattern) -> str:
    """Write a pattern as JSON: bars, meter, tempo and hits as ``[beat, voice, velocity]``."""
    hits = [[round(hit.beat, 6), hit.voice, round(hit.velocity, 4)] for hit in pattern.hits]
    return json.dumps({"bars": pattern.bars, "meter": list(pattern.meter), "tempo": pattern.tempo, "hits": hits})


def read_pattern_text(text: str) -> Pattern | None:
    """Undo `pattern_text`; None for an empty text.

    Raises
    ------
    ValueError, KeyError, TypeError, PatternError
        If it is no pattern.
    """
    if not text:
        return None
    try:
        told = json.loads(text)
        bars, (upper, lower) = int(told["bars"]), told["meter"]
        beats = bars * int(upper) * 4 / int(lower)
        hits = tuple(Hit(float(beat) % beats, str(voice), float(velocity)) for beat, voice, velocity in told["hits"])
        return Pattern(hits, bars, (int(upper), int(lower)), float(told["tempo"]))
    except (ArithmeticError, RecursionError) as error:  # a bar of no beats, a count that is infinite
        raise ValueError(f"no pattern: {error}") from error
