"""Beatbox, mouth sounds and taps: what the transcriber makes of recordings that were labelled by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.read import read_audio
from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.labels import VOICES, ClipLabels, beatbox_labels
from loopnet_cli.evaluation.matching import (
    GROUPS,
    STRICT,
    TOLERANCE,
    Struck,
    hits_of_transcription,
    merged,
    pairs,
)
from loopnet_cli.evaluation.report import Cell, Section, Table
from loopnet_cli.evaluation.statistics import Estimate, bootstrap
from loopnet_cli.evaluation.timing import f_measure

MATERIAL = "recordings labelled by hand"
SUFFIX = ".flac"
LEAST_CLIPS = 8
"""Clips from which an interval is given."""

METHOD = """\
Recordings of mouths, hands and things struck, labelled by hand (`loopnet_cli/evaluation/labels/README.md` says how,
and how surely); nothing like them was trained on. Each is heard from start to end. Onsets: all that was heard,
whatever the voice, against the certain labels, one to one within the tolerance, heard hits closer than 30 ms being
one. Classes: only labels that name a voice can be missed; a hit heard where a label names no voice is neither right
nor wrong. Neither is what was heard within 50 ms of a doubtful sound that no certain label accounts for. A tap or
a tongue click is no drum: the last columns say which it was taken for. Intervals are over clips, of which there
are few."""


def cases() -> int:
    """Return how many clips there are."""
    return len(beatbox_labels())


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Transcribe one clip and compare."""
    clip = list(beatbox_labels().values())[number]
    path = bench.data / "beatbox" / f"{clip.clip}{SUFFIX}"
    if not path.exists():
        raise LoopnetError(f"{path}: no such recording: the material lacks it")
    audio, rate = read_audio(path, mono=True)
    heard = hits_of_transcription(bench.transcriber.transcribe(audio, rate))
    return {"clip": clip.clip, "kind": clip.kind, **compare(heard, clip)}


def compare(heard: Sequence[Struck], clip: ClipLabels) -> dict[str, Any]:
    """Compare what was heard in a clip with its labels.

    Returns
    -------
    dict
        ``onsets`` and ``onsets25``: matches, heard and counted, labelled, at 50 and 25 ms; ``late``: heard minus
        labelled in ms of matches at 50 ms; ``classes``: the first for each voice that is labelled; ``heard``: how
        many hits of each group; ``doubts``: doubtful sounds that were heard, and all of them.
    """
    inside = [hit for hit in heard if clip.start - TOLERANCE <= hit.seconds < clip.end + TOLERANCE]
    events = merged(inside, None)
    certain = [Struck(hit.seconds, "perc", 1.0) for hit in clip.hits]
    doubts = [Struck(hit.seconds, "perc", 1.0) for hit in clip.doubts]
    result: dict[str, Any] = {}
    for key, tolerance in (("onsets", TOLERANCE), ("onsets25", STRICT)):
        found = pairs(events, certain, None, tolerance)
        left = _without(events, [pair.found for pair in found])
        doubtful = pairs(left, doubts, None)
        wrong = [hit for hit in _without(left, [p.found for p in doubtful]) if clip.start <= hit.seconds < clip.end]
        result[key] = [len(found), len(found) + len(wrong), len(certain)]
        if key == "onsets":
            result["late"] = [round(1000 * pair.late, 2) for pair in found]
            result["doubts"] = [len(doubtful), len(doubts)]
    result["classes"] = {label: _class(inside, clip, label) for label in VOICES if clip.onsets(label)}
    result["heard"] = {group: len(merged([hit for hit in inside if hit.group == group], None)) for group in GROUPS}
    return result


def _class(heard: Sequence[Struck], clip: ClipLabels, label: str) -> list[int]:
    """Return matches, heard and counted, labelled, of one voice."""
    mine = merged([hit for hit in heard if hit.group == label], None)
    asked = [Struck(seconds, "perc", 1.0) for seconds in clip.onsets(label)]
    found = pairs(mine, asked, None)
    left = _without(mine, [pair.found for pair in found])
    unsure = [Struck(seconds, "perc", 1.0) for name in ("hit", "doubt") for seconds in clip.onsets(name)]
    neutral = {pair.found for pair in pairs(left, unsure, None)}
    wrong = sum(clip.start <= hit.seconds < clip.end for n, hit in enumerate(left) if n not in neutral)
    return [len(found), len(found) + wrong, len(asked)]


def _without(hits: Sequence[Struck], taken: Sequence[int]) -> list[Struck]:
    return [hit for index, hit in enumerate(hits) if index not in set(taken)]


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables."""
    table: list[list[str | Cell]] = []
    for row in rows:
        right, found, asked = row["onsets"]
        cells: list[str | Cell] = [row["clip"], row["kind"], str(asked), Cell(_f(row["onsets"]))]
        cells += [Cell(_f(row["onsets25"])), Cell(_share(right, found)), Cell(_share(right, asked))]
        cells.append(Cell(float(np.median(row["late"])) if row["late"] else float("nan"), form="+.1f"))
        cells.append(f"{row['doubts'][0]} of {row['doubts'][1]}")
        table.append([*cells, *(str(row["heard"][group]) for group in GROUPS)])
    for kind in ("all", *dict.fromkeys(row["kind"] for row in rows)):
        table.append(_total([row for row in rows if kind in ("all", row["kind"])], kind, seed))
    columns = ["clip", "kind", "labels", "F 50 ms", "F 25 ms", "precision", "recall", "median error, ms"]
    columns += ["doubtful ones heard", *(f"as {group}" for group in GROUPS)]
    classes: list[list[str | Cell]] = []
    for label in VOICES:
        named = [row for row in rows if label in row["classes"]]
        for row in named:
            right, found, asked = row["classes"][label]
            cells = [label, row["clip"], str(asked), Cell(_f(row["classes"][label]))]
            classes.append([*cells, Cell(_share(right, found)), Cell(_share(right, asked))])
        if len(named) > 1:
            sums = np.sum([row["classes"][label] for row in named], axis=0)
            cells = [label, "all", str(sums[2]), Cell(_f(sums))]
            classes.append([*cells, Cell(_share(sums[0], sums[1])), Cell(_share(sums[0], sums[2]))])
    tables = [
        Table(f"Onsets, whatever the voice, {len(rows)} clips", columns, table),
        Table("Voices, 50 ms", ["voice", "clip", "labels", "F", "precision", "recall"], classes),
    ]
    every = f_measure([row["onsets"] for row in rows], seed)
    return Section("Beatbox, mouth sounds and taps", METHOD, tables, (), {"onset_f": every._asdict()})


def _total(rows: Sequence[Mapping[str, Any]], kind: str, seed: int) -> list[str | Cell]:
    counts = np.array([row["onsets"] for row in rows], np.float64)
    late = [value for row in rows for value in row["late"]]
    cells: list[str | Cell] = [f"**{kind}**", f"{len(rows)} clip{'s' * (len(rows) > 1)}", f"{counts[:, 2].sum():.0f}"]
    estimates = [f_measure([row[key] for row in rows], seed) for key in ("onsets", "onsets25")]
    estimates += [_ratio(counts[:, [0, column]], seed) for column in (1, 2)]
    # an interval over a handful of clips would say nothing
    cells += [Cell.of(estimate) if len(rows) >= LEAST_CLIPS else Cell(estimate.value) for estimate in estimates]
    cells.append(Cell(float(np.median(late)) if late else float("nan"), form="+.1f"))
    cells.append(f"{sum(row['doubts'][0] for row in rows)} of {sum(row['doubts'][1] for row in rows)}")
    return [*cells, *(str(sum(row["heard"][group] for row in rows)) for group in GROUPS)]


def _ratio(counts: NDArray[np.float64], seed: int) -> Estimate:
    return bootstrap(counts, lambda drawn: drawn[..., 0].sum(axis=1) / drawn[..., 1].sum(axis=1), seed=seed)


def _f(counts: Sequence[int]) -> float:
    return 2 * counts[0] / (counts[1] + counts[2]) if counts[1] + counts[2] else float("nan")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
