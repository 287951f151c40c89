"""What is promised for any input: each check takes bytes and an empty folder, and may raise `LoopnetError` alone.

A check that returns a text says that the input was refused in an orderly way; what it asserts holds for inputs
that are taken.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np

CHECKS: dict[str, Callable[[bytes, Path], str | None]] = {}


def load(folder: Path) -> None:
    """Load what checks need, so that the limit on memory is about inputs alone."""
    import h5py  # noqa: F401
    import soundfile  # noqa: F401
    import yaml  # noqa: F401
    from safetensors import safe_open  # noqa: F401

    from loopnet_cli.synthesis import bank

    bank.read_bank()
    for name in CHECKS:
        (folder / name).mkdir()
        with contextlib.suppress(Exception):  # what is imported late is imported now
            CHECKS[name](b"{}", folder / name)


def _check(function: Callable[[bytes, Path], str | None]) -> Callable[[bytes, Path], str | None]:
    CHECKS[function.__name__] = function
    return function


def _usable(pattern) -> None:
    from loopnet_cli.pattern import VOICES
    from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO

    assert 1 <= pattern.bars <= MAX_BARS and MIN_TEMPO <= pattern.tempo <= MAX_TEMPO
    length = pattern.bars * pattern.beats_per_bar
    for hit in pattern.hits:
        assert 0 <= hit.beat < length and 0 < hit.velocity <= 1 and hit.voice in VOICES, hit


@_check
def midi(content: bytes, box: Path) -> None:
    from loopnet_cli.pattern.midi import read_midi
    from loopnet_cli.pattern.write import write_midi

    found = read_midi(content, drum_map=("auto", "gm", "roland", "alesis", "xg")[len(content) % 5])
    _usable(found.pattern)
    for warning in found.warnings:
        assert "\n" not in warning and warning.isprintable(), warning
    # what was read can be written, and read again
    write_midi(found.pattern, box / "again.mid")
    again = read_midi(box / "again.mid", bars=found.pattern.bars)
    assert len(again.pattern.hits) <= len(found.pattern.hits)


@_check
def grid(content: bytes, box: Path) -> None:
    from loopnet_cli.pattern.grid import format_grid, parse_grid

    pattern = parse_grid(content.decode("utf-8", "replace"))
    _usable(pattern)
    _usable(parse_grid(format_grid(pattern, 4 if pattern.meter[1] <= 16 else pattern.meter[1])))


@_check
def rhythm_file(content: bytes, box: Path) -> None:
    """A file given as a rhythm, whatever it is."""
    from loopnet_cli.pattern.read import read_pattern

    path = box / ("beat.mid", "beat.grid", "beat.txt", "beat")[len(content) % 4]
    path.write_bytes(content)
    _usable(read_pattern(str(path)).pattern)


@_check
def drum_map(content: bytes, box: Path) -> None:
    from loopnet_cli.pattern import VOICES
    from loopnet_cli.pattern.maps import read_drum_map

    path = box / f"map.{'json' if content.lstrip()[:1] == b'{' else 'toml'}"
    path.write_bytes(content)
    for note, voice in read_drum_map(path).items():
        assert 0 <= note <= 127 and voice in VOICES


@_check
def chroma(content: bytes, box: Path) -> None:
    from loopnet_cli.chroma_names import parse_chroma

    found = parse_chroma(content.decode("utf-8", "replace"))
    assert len(found) == 12 and all(0 <= value <= 1 for value in found)


@_check
def audio(content: bytes, box: Path) -> None:
    """An audio file: looked over, decoded as a whole and in part, its metadata read, a kit looked for in it."""
    from loopnet_cli.audio.read import read_audio, read_part
    from loopnet_cli.audio.stream import open_audio
    from loopnet_cli.audio.survey import survey
    from loopnet_cli.audio.write import read_loop_metadata
    from loopnet_cli.errors import LoopnetError
    from loopnet_cli.synthesis.kit_making import read_kit

    path = box / ("a.wav", "a.flac", "a.ogg", "a.raw", "a")[len(content) % 5]
    path.write_bytes(content)
    for extra in (lambda: read_loop_metadata(path), lambda: read_kit(path, "a")):
        try:
            extra()
        except LoopnetError as error:
            assert "\n" not in str(error)
    with open_audio(path) as stream:
        assert stream.channels >= 1
    seen = survey(content)
    assert math.isfinite(seen.peak) and math.isfinite(seen.dc) and seen.stop - seen.start >= 1
    read_part(path, seen.start, seen.stop)
    decoded, rate = read_audio(content)
    assert np.isfinite(decoded).all() and rate == seen.sample_rate


CHECKS["other_audio"] = audio


@_check
def kit(content: bytes, box: Path) -> None:
    """A kit's file: read, and stored again as another."""
    from loopnet_cli.synthesis import kit_file
    from loopnet_cli.synthesis.kit_store import load_kit

    path = box / "some.json"
    path.write_bytes(content)
    found = load_kit(path)
    values = [
        *found.levels.values(),
        *found.timbre.values(),
        *found.chroma,
        *(x for c in found.codes.values() for x in c),
    ]
    assert all(math.isfinite(value) for value in values)
    try:
        extra = kit_file.unknown_fields(kit_file.parse_entry(content))
    except ValueError:  # fields of others that cannot be kept do not keep a kit from being played
        return
    stored = kit_file.text_of(kit_file.entry_of(found, "again", extra))
    path.write_bytes(stored)
    again = load_kit(path)
    assert again.name == found.name and again.levels.keys() == found.levels.keys()
    assert kit_file.unknown_fields(kit_file.parse_entry(stored)) == extra


@_check
def paper_weights(content: bytes, box: Path) -> str | None:
    """A weights file of a paper model: loaded, and a quarter of a bar rendered."""
    from loopnet_cli.synthesis.paper import PaperModel

    path = box / "weights.safetensors"
    path.write_bytes(content)
    PaperModel.load(path)


@_check
def studio_weights(content: bytes, box: Path) -> None:
    """A weights file of the package's kind whose checksum is right."""
    from loopnet_cli.synthesis.bank import load_weights, read_normalisation

    (box / "studio.safetensors").write_bytes(content)
    (box / "manifest.json").write_text(json.dumps({"studio.safetensors": hashlib.sha256(content).hexdigest()}))
    load_weights("studio.safetensors", "1", lambda metadata, tensors: dict(tensors), box)
    read_normalisation(box)


@_check
def bank_of_kits(content: bytes, box: Path) -> None:
    """The package's bank of kits, whose checksum is right."""
    from loopnet_cli.synthesis.bank import read_bank

    (box / "kits.json").write_bytes(content)
    (box / "manifest.json").write_text(json.dumps({"kits.json": hashlib.sha256(content).hexdigest()}))
    read_bank(box)


@_check
def manifest(content: bytes, box: Path) -> None:
    from loopnet_cli.synthesis.bank import checked_file, known_checksum

    (box / "kits.json").write_bytes(b"{}")
    (box / "manifest.json").write_bytes(content)
    known_checksum("studio", box)
    checked_file("kits.json", box)


def _readable(path: Path) -> bool:
    """Do what `loopnet_cli.data.probe` does before commands open a data set, in a fork, which starts faster."""
    from loopnet_cli.data.probe import touch

    child = os.fork()
    if child == 0:
        signal.alarm(2)
        with contextlib.suppress(BaseException):
            touch(str(path))
        os._exit(0)
    return not os.WIFSIGNALED(os.waitpid(child, 0)[1])


@_check
def data_set(content: bytes, box: Path) -> str | None:
    from loopnet_cli.data.store import BarStore

    path = box / "bars.h5"
    path.write_bytes(content)
    if not _readable(path):
        return "the HDF5 library does not come back from it"
    with BarStore(path) as store:
        count = len(store)
        rows = [*store.indices("train")[:3], *store.indices("test")[:3]]
        bars = store.read(rows)
        assert bars.audio.shape == (len(rows), 29538)
        if store.has_studio_audio:
            store.studio_audio(rows[:1])
        store.patterns(rows)
        store.loops()
        store.rejected()
        assert count >= len(rows)
    return None


@_check
def data_set_inspected(content: bytes, box: Path) -> str | None:
    from loopnet_cli.data.inspect import inspect_store

    path = box / "bars.h5"
    path.write_bytes(content)
    if not _readable(path):
        return "the HDF5 library does not come back from it"
    json.dumps(inspect_store(path), allow_nan=False)
    return None


@_check
def data_set_part(content: bytes, box: Path) -> None:
    from loopnet_cli.data.parts import read_part

    path = box / "part.npz"
    path.write_bytes(content)
    read_part(path)


@_check
def tempo_table(content: bytes, box: Path) -> None:
    from loopnet_cli.data.tempo_table import read_tempo_table

    path = box / "tempos.csv"
    path.write_bytes(content)
    for entry in read_tempo_table(path).entries.values():
        assert math.isfinite(entry.tempo)


@_check
def pattern_text(content: bytes, box: Path) -> str | None:
    """The patterns within a data set: their reader may raise a few kinds, which the data set turns into one."""
    from loopnet_cli.data.rows import read_pattern_text
    from loopnet_cli.errors import PatternError

    try:
        pattern = read_pattern_text(content.decode("utf-8", "replace"))
    except (ValueError, KeyError, TypeError, PatternError) as error:
        return type(error).__name__
    if pattern is not None:
        _usable(pattern)
    return None


@_check
def statistics(content: bytes, box: Path) -> None:
    from loopnet_cli.evaluation.frechet import read_statistics

    path = box / "statistics.npz"
    path.write_bytes(content)
    found = read_statistics(path)
    assert np.isfinite(found.mean).all() and np.isfinite(found.covariance).all()


def _jobs(content: bytes, box: Path, format: str) -> None:
    from loopnet_cli.errors import JobsError
    from loopnet_cli.jobs.files import read_jobs
    from loopnet_cli.jobs.plan import Common, plan_rows

    path = box / f"jobs.{format}"
    path.write_bytes(content)
    rows = read_jobs(str(path), format)
    plan = plan_rows(rows[:20], Common(box, box / "out", 1))
    for problem in plan.problems:
        assert "\n" not in problem or "\n" in content.decode(errors="replace"), problem
    assert sorted(p.name for p in box.iterdir()) == [path.name], "planning wrote something"
    if plan.problems:
        raise JobsError(plan.problems[0].replace("\n", " "))


@_check
def jobs_csv(content: bytes, box: Path) -> None:
    _jobs(content, box, "csv")


@_check
def jobs_jsonl(content: bytes, box: Path) -> None:
    _jobs(content, box, "jsonl")


@_check
def jobs_yaml(content: bytes, box: Path) -> None:
    _jobs(content, box, "yaml")


@_check
def record(content: bytes, box: Path) -> None:
    """The record of an earlier run, gone on with."""
    from loopnet_cli.jobs.files import Row
    from loopnet_cli.jobs.plan import Common, plan_rows
    from loopnet_cli.jobs.record import read_record

    path = box / "jobs.record.jsonl"
    path.write_bytes(content)
    known = read_record(path)
    plan_rows([Row(1, 2, {"inputs": "kick: x...x...x...x..."})], Common(box, box / "out", 1), known)
