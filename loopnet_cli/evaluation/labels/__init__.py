"""Hits of beatbox, mouth sounds and taps, labelled by hand: what a transcription of them is measured against.

Times are in seconds from the start of a clip, at the start of the attack. The audio is
not part of the package; README.md beside this file says which recordings these are.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from math import isfinite

VOICES = ("kick", "snare", "hat")
"""Labels that name a voice."""

LABELS = (*VOICES, "hit", "doubt")
"""All labels: a voice, `hit` where only the onset is certain, `doubt` where it is not even certain that it is one."""

KINDS = ("beatbox", "mouth", "taps", "other")
"""What a clip is: beatbox, other mouth sounds, tapping hands, other things struck."""

TABLE_COLUMNS = ("clip", "seconds", "label", "note")
CLIP_COLUMNS = ("clip", "kind", "start", "end", "author", "licence", "source")


@dataclass(frozen=True)
class LabelledHit:
    """One labelled sound.

    Attributes
    ----------
    seconds : float
        Start of the attack, from the start of the clip; good to about 5 ms.
    label : str
        One of `LABELS`.
    note : str
        Why the label or the time is in doubt; empty where neither is.
    """

    seconds: float
    label: str
    note: str = ""


@dataclass(frozen=True)
class ClipLabels:
    """The labels of one clip.

    Attributes
    ----------
    clip : str
        Name of the recording: its file name without the suffix.
    kind : str
        One of `KINDS`.
    start, end : float
        The span that was labelled, in seconds; leave out of a score what lies outside.
    hits : tuple of LabelledHit
        The certain onsets in order: `kick`, `snare`, `hat` and `hit`.
    doubts : tuple of LabelledHit
        Sounds that a listener may or may not take for a hit (a puff of breath, a lip smack, the hand coming back):
        whoever finds one is neither right nor wrong, so leave them out of hits and false alarms alike.
    author, licence, source : str
        Whose recording it is, under which licence and from where.
    """

    clip: str
    kind: str
    start: float
    end: float
    hits: tuple[LabelledHit, ...]
    doubts: tuple[LabelledHit, ...]
    author: str
    licence: str
    source: str

    @property
    def voiced(self) -> bool:
        """Whether every certain onset has a voice, so that the voices can be scored."""
        return all(hit.label in VOICES for hit in self.hits)

    def onsets(self, label: str | None = None) -> tuple[float, ...]:
        """Return the onsets in seconds, in order.

        Parameters
        ----------
        label : str, optional
            One of `LABELS`; by default all certain onsets (everything but `doubt`).

        Raises
        ------
        ValueError
            The label is not one of `LABELS`.
        """
        if label is not None and label not in LABELS:
            raise ValueError(f"no label {label!r}: choose from {', '.join(LABELS)}")
        if label == "doubt":
            return tuple(doubt.seconds for doubt in self.doubts)
        return tuple(hit.seconds for hit in self.hits if label in (None, hit.label))


def beatbox_labels() -> dict[str, ClipLabels]:
    """Return the hand-made labels by clip.

    Returns
    -------
    dict of str to ClipLabels
        In the order of clips.csv.

    Raises
    ------
    ValueError
        A table is damaged: the message names the file, the line and what is wrong with it.
    """
    folder = files(__package__)
    return parse_labels(
        folder.joinpath("clips.csv").read_text(encoding="utf-8"),
        folder.joinpath("beatbox.csv").read_text(encoding="utf-8"),
    )


def parse_labels(clips: str, table: str) -> dict[str, ClipLabels]:
    """Read and check the two tables.

    Parameters
    ----------
    clips : str
        Text of clips.csv: a row a clip, columns `CLIP_COLUMNS`.
    table : str
        Text of beatbox.csv: a row a sound, columns `TABLE_COLUMNS`, in order of time within a clip.

    Returns
    -------
    dict of str to ClipLabels
        In the order of `clips`.

    Raises
    ------
    ValueError
        Wrong columns, an unknown kind, label or clip, a time outside its span or out of order, a clip without a hit.
    """
    spans: dict[str, dict[str, str]] = {}
    for line, row in _rows("clips.csv", clips, CLIP_COLUMNS):
        if row["clip"] in spans:
            raise ValueError(f"clips.csv line {line}: {row['clip']} stands there twice")
        if row["kind"] not in KINDS:
            raise ValueError(f"clips.csv line {line}: unknown kind {row['kind']!r}")
        start, end = (_number("clips.csv", line, row[name]) for name in ("start", "end"))
        if not 0 <= start < end:
            raise ValueError(f"clips.csv line {line}: no span from {start:g} to {end:g} s")
        spans[row["clip"]] = row

    heard: dict[str, list[LabelledHit]] = {clip: [] for clip in spans}
    for line, row in _rows("beatbox.csv", table, TABLE_COLUMNS):
        clip, seconds = row["clip"], _number("beatbox.csv", line, row["seconds"])
        if clip not in spans:
            raise ValueError(f"beatbox.csv line {line}: clip {clip!r} is not in clips.csv")
        if row["label"] not in LABELS:
            raise ValueError(f"beatbox.csv line {line}: unknown label {row['label']!r}")
        if not float(spans[clip]["start"]) <= seconds < float(spans[clip]["end"]):
            raise ValueError(f"beatbox.csv line {line}: {seconds:g} s is outside the labelled span of {clip}")
        if heard[clip] and seconds <= heard[clip][-1].seconds:
            raise ValueError(f"beatbox.csv line {line}: {seconds:g} s is not after the sound before it")
        heard[clip].append(LabelledHit(seconds, row["label"], row["note"]))
    return {clip: _clip(spans[clip], sounds) for clip, sounds in heard.items()}


def _clip(row: dict[str, str], sounds: list[LabelledHit]) -> ClipLabels:
    hits = tuple(sound for sound in sounds if sound.label != "doubt")
    if not hits:
        raise ValueError(f"beatbox.csv: no hit of {row['clip']}")
    return ClipLabels(
        clip=row["clip"],
        kind=row["kind"],
        start=float(row["start"]),
        end=float(row["end"]),
        hits=hits,
        doubts=tuple(sound for sound in sounds if sound.label == "doubt"),
        author=row["author"],
        licence=row["licence"],
        source=row["source"],
    )


def _rows(name: str, text: str, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows with their line numbers, after a look at the header and the number of cells."""
    reader = csv.reader(text.splitlines())
    if tuple(next(reader, [])) != columns:
        raise ValueError(f"{name}: the columns must be {','.join(columns)}")
    rows = []
    for cells in reader:
        if len(cells) != len(columns):
            raise ValueError(f"{name} line {reader.line_num}: {len(cells)} cells instead of {len(columns)}")
        rows.append((reader.line_num, dict(zip(columns, cells, strict=True))))
    return rows


def _number(name: str, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError(f"{name} line {line}: {text!r} is not a number of seconds")
    return value
