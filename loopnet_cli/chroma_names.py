"""Chroma from text: note names, chord names, or twelve numbers. No heavy imports here."""

from __future__ import annotations

import difflib
import math
import re

from loopnet_cli.controls import PITCH_CLASSES
from loopnet_cli.errors import UsageError

_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

CHORDS: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "maj": (0, 4, 7), "M": (0, 4, 7),
    "m": (0, 3, 7), "min": (0, 3, 7), "-": (0, 3, 7),
    "dim": (0, 3, 6), "o": (0, 3, 6), "aug": (0, 4, 8), "+": (0, 4, 8),
    "5": (0, 7), "sus2": (0, 2, 7), "sus4": (0, 5, 7), "sus": (0, 5, 7),
    "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "69": (0, 2, 4, 7, 9), "m69": (0, 2, 3, 7, 9),
    "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "M7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10), "min7": (0, 3, 7, 10), "-7": (0, 3, 7, 10), "mmaj7": (0, 3, 7, 11), "mM7": (0, 3, 7, 11),
    "dim7": (0, 3, 6, 9), "o7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10), "min7b5": (0, 3, 6, 10),
    "aug7": (0, 4, 8, 10), "+7": (0, 4, 8, 10), "7#5": (0, 4, 8, 10), "7b5": (0, 4, 6, 10),
    "7b9": (0, 1, 4, 7, 10), "7#9": (0, 3, 4, 7, 10), "7sus4": (0, 5, 7, 10), "7sus2": (0, 2, 7, 10),
    "add9": (0, 2, 4, 7), "madd9": (0, 2, 3, 7), "9": (0, 2, 4, 7, 10), "9sus4": (0, 2, 5, 7, 10),
    "maj9": (0, 2, 4, 7, 11), "M9": (0, 2, 4, 7, 11), "m9": (0, 2, 3, 7, 10), "min9": (0, 2, 3, 7, 10),
    "11": (0, 2, 4, 5, 7, 10), "m11": (0, 2, 3, 5, 7, 10), "min11": (0, 2, 3, 5, 7, 10),
    "13": (0, 2, 4, 7, 9, 10), "maj13": (0, 2, 4, 7, 9, 11), "m13": (0, 2, 3, 7, 9, 10),
}  # fmt: skip
"""Semitones above the root, by what follows the root in a chord's name."""

_ROOT = re.compile(r"([A-Ga-g])(##?|bb?)?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)
_SYMBOLS = {"♯": "#", "♭": "b", "Δ": "maj7", "ø7": "m7b5", "ø": "m7b5", "°": "dim", "6/9": "69"}
MAX_LENGTH = 500
HELP = "use note names (A C E), a chord (Am, F#m7b5, C/G) or twelve numbers from 0 to 1 (C first)"


def parse_chroma(text: str) -> tuple[float, ...]:
    """Read a chroma.

    Parameters
    ----------
    text : str
        Two or more note names (``A C E``, ``F#,Bb``), one chord (``Am``, ``Dsus4``, ``G7/B``; a bare ``C`` is
        the major chord, as in a chart), or twelve numbers from 0 to 1, C first. Separated by blanks or commas;
        note letters of either case.

    Returns
    -------
    tuple of 12 float
        C first; 1 for each note of a chord or list, 0 for the others.

    Raises
    ------
    UsageError
        If the text is none of these; with the nearest name there is.
    """
    shown = text if len(text) <= 40 else text[:37] + "..."
    if len(text) > MAX_LENGTH:
        raise UsageError(f"chroma {shown!r} is too long: {HELP}")
    clean = text.strip()
    for symbol, plain in _SYMBOLS.items():
        clean = clean.replace(symbol, plain)
    words = [word for word in re.split(r"[\s,;]+", clean) if word]
    if not words:
        raise UsageError(f"chroma is empty: {HELP}")
    if all(_NUMBER.fullmatch(word) for word in words):
        return _numbers(words)
    if len(words) == 1:
        return _of(_chord(words[0], shown))
    return _of({_note(word, shown) for word in words})


def _of(pitch_classes: set[int]) -> tuple[float, ...]:
    return tuple(float(index in pitch_classes) for index in range(len(PITCH_CLASSES)))


def _numbers(words: list[str]) -> tuple[float, ...]:
    if len(words) != len(PITCH_CLASSES):
        raise UsageError(f"chroma of {len(words)} number{'s' * (len(words) != 1)}: give twelve, C first, from 0 to 1")
    values = tuple(float(word) for word in words)
    for word, value, name in zip(words, values, PITCH_CLASSES, strict=True):
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise UsageError(f"chroma {word} for {name}: must lie between 0 and 1")
    return values


def _root(word: str) -> tuple[int, str] | None:
    """Split a name into the pitch class of its root and the rest."""
    found = _ROOT.fullmatch(word)
    if not found:
        return None
    letter, accidental, rest = found.groups(default="")
    shift = accidental.count("#") - accidental.count("b")
    return (_NATURALS[letter.upper()] + shift) % 12, rest


def _note(word: str, shown: str) -> int:
    root = _root(word)
    if root is None or root[1]:
        raise UsageError(f"chroma {shown!r}: {word!r} is not a note{_near(word, _note_names())}: {HELP}")
    return root[0]


def _chord(word: str, shown: str) -> set[int]:
    name, slash, bass = word.partition("/")
    root = _root(name)
    low = _root(bass) if slash else None
    if root is None or root[1] not in CHORDS:
        raise UsageError(f"chroma {shown!r} is not a chord{_near(word, _chord_names())}: {HELP}")
    if slash and (low is None or low[1]):
        raise UsageError(f"chroma {shown!r}: the bass {bass!r} is not a note{_near(bass, _note_names())}: {HELP}")
    notes = {(root[0] + step) % 12 for step in CHORDS[root[1]]}
    return notes | {low[0]} if low else notes


def _note_names() -> list[str]:
    return sorted({*PITCH_CLASSES, "Db", "Eb", "Gb", "Ab", "Bb"})


def _chord_names() -> list[str]:
    return [root + quality for root in _note_names() for quality in CHORDS]


def _near(word: str, names: list[str]) -> str:
    """Return a suggestion to put into a message, or nothing."""
    spelled = word[:12]
    spelled = spelled[:1].upper() + spelled[1:]
    # names that begin alike read as more alike than names that share a few letters
    same_root = [name for name in names if name[:1] == spelled[:1]]
    close = difflib.get_close_matches(spelled, same_root, n=1, cutoff=0.5) or difflib.get_close_matches(
        spelled, names, n=1
    )
    return f" (did you mean {close[0]}?)" if close else ""
