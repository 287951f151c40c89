"""Chroma from text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loopnet_cli.chroma_names import CHORDS, parse_chroma
from loopnet_cli.controls import PITCH_CLASSES
from loopnet_cli.errors import UsageError


def notes(text: str) -> set[str]:
    values = parse_chroma(text)
    assert len(values) == 12 and set(values) <= {0.0, 1.0}
    return {name for name, value in zip(PITCH_CLASSES, values, strict=True) if value}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A C E", "A C E"), ("A,C,E", "A C E"), (" a , c;e ", "A C E"), ("F# Bb", "F# A#"), ("Cb E#", "B F"),
        ("C C", "C"), ("Bb", "A# D F"), ("bb", "A# D F"), ("B♭ F♯", "A# F#"),
        ("C", "C E G"), ("Am", "A C E"), ("am", "A C E"), ("Amin", "A C E"), ("A-", "A C E"), ("Cmaj7", "C E G B"),
        ("CM7", "C E G B"), ("Cm7", "C D# G A#"), ("F#m7b5", "F# A C E"), ("Dsus4", "D G A"), ("Dsus2", "D E A"),
        ("G7", "G B D F"), ("Bdim", "B D F"), ("Bdim7", "B D F G#"), ("Caug", "C E G#"), ("C+", "C E G#"),
        ("C5", "C G"),
        ("Em9", "E G B D F#"), ("Cadd9", "C D E G"), ("C6/9", "C D E G A"), ("C/G", "C E G"), ("C/Bb", "C E G A#"),
        ("Am7/G", "A C E G"), ("Eb", "D# G A#"), ("Ebm", "D# F# A#"), ("G7#9", "G A# B D F"),
        ("Dbmaj9", "C# F G# C D#"),
    ],
)  # fmt: skip
def test_names(text, expected):
    assert notes(text) == set(expected.split())


def test_every_chord_holds_its_root_and_fits_in_an_octave():
    for steps in CHORDS.values():
        assert steps[0] == 0 and list(steps) == sorted(set(steps)) and steps[-1] < 12


def test_twelve_numbers():
    assert parse_chroma("1 0 0.5 0 0 0 0 .25 0 0 0 1e-1") == (1, 0, 0.5, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.1)
    assert parse_chroma(",".join(["0"] * 12)) == (0.0,) * 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"), ("  , ", "empty"), ("Hx7", "Hx7"), ("Cmaj77", "did you mean Cmaj7?"),
        ("F#mn7", "did you mean F#m"),
        ("A C H", "'H' is not a note"), ("A Cm", "did you mean C"), ("C/", "bass ''"), ("C/H", "bass 'H'"),
        ("1 2 3", "3 numbers"), ("1", "1 number:"), ("0 " * 13, "13 numbers"), ("0 " * 11 + "1.5", "1.5 for B"),
        ("-0.1" + " 0" * 11, "-0.1 for C"), ("nan" + " 0" * 11, "nan for C"), ("inf" + " 0" * 11, "inf for C"),
        ("C" * 10_000, "too long"), ("A\nm\nq", "not a note"), ("é", "not a chord"), ("Cm7b5x", "did you mean Cm7b5?"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_line(text, says):
    with pytest.raises(UsageError) as caught:
        parse_chroma(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_needs_nothing_heavy():
    code = "import sys, loopnet_cli.chroma_names as c; c.parse_chroma('Am'); print([m for m in sys.modules if m in " \
        "('numpy', 'scipy', 'torch', 'essentia')])"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
