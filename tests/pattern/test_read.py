"""One reader for all sources; the examples; the benchmark; what the package imports."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from smf_bytes import hits, song

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern import parse_grid, read_midi, read_pattern
from loopnet_cli.pattern.bench import main as bench

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "patterns").glob("*.grid"))
GROOVES = ROOT.parent / "shared" / "data" / "grooves"
GRID = "bpm=96 kick: x...x... snare: ....x..."
MIDI = song(hits(0.0, 1.0, 2.0, 3.0))


def test_a_grid_given_directly_as_a_file_and_on_stdin(tmp_path: Path) -> None:
    path = tmp_path / "beat.grid"
    path.write_text(GRID, encoding="utf-8-sig")
    direct = read_pattern(GRID)
    assert direct.pattern == parse_grid(GRID)
    assert (direct.tempo_source, direct.meter_source, direct.notes) == ("file", "default", 6)
    assert read_pattern(path) == direct
    assert read_pattern("-", stdin=io.BytesIO(GRID.encode())) == direct


def test_midi_as_a_file_and_on_stdin(tmp_path: Path) -> None:
    path = tmp_path / "beat.mid"
    path.write_bytes(MIDI)
    assert read_pattern(path) == read_pattern(str(path)) == read_pattern("-", stdin=io.BytesIO(MIDI))


def test_given_values_overrule_grids_and_files(tmp_path: Path) -> None:
    path = tmp_path / "beat.mid"
    path.write_bytes(MIDI)
    for source in (GRID, path):
        result = read_pattern(source, tempo=140, bars=3, meter=(2, 4))
        assert (result.pattern.tempo, result.pattern.bars, result.pattern.meter) == (140, 3, (2, 4))
        assert (result.tempo_source, result.meter_source) == ("given", "given")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("absent.mid", "cannot read absent.mid"),
        ("kik: x...", "grid: no voice named 'kik'"),
        ("absent.grid", "cannot read absent.grid"),
        ("", "cannot read"),
    ],
)
def test_errors_name_the_source(source: str, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        read_pattern(source)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xff\xfe\x00", b"MThd"])
def test_errors_of_stdin(data: bytes) -> None:
    with pytest.raises(PatternError, match=r"^standard input"):
        read_pattern("-", stdin=io.BytesIO(data))


def test_grid_files_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xff\x00\xff")
    with pytest.raises(PatternError, match=r"x\.txt is not a text grid"):
        read_pattern(path)
    path.write_text("kick: x" + "." * 1_000_001)
    with pytest.raises(PatternError, match="too large"):
        read_pattern(path)


def test_bars_of_a_grid() -> None:
    with pytest.raises(PatternError, match="grid: 0 bars asked for"):
        read_pattern(GRID, bars=0)
    with pytest.raises(PatternError, match="no strokes in the first 1 bars"):
        read_pattern("kick: " + "." * 16 + "x" + "." * 15, bars=1)


# examples


def test_there_are_examples_of_many_styles_and_meters() -> None:
    meters = {read_pattern(path).pattern.meter for path in EXAMPLES}
    assert len(EXAMPLES) >= 12
    assert {(4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (12, 8)} <= meters


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_midi_beside_each_example_is_its_grid(path: Path) -> None:
    grid, midi = read_pattern(path).pattern, read_midi(path.with_suffix(".mid"))
    assert midi.warnings == ()
    assert (midi.pattern.bars, midi.pattern.meter, midi.pattern.tempo) == (grid.bars, grid.meter, grid.tempo)
    assert [h.voice for h in midi.pattern.hits] == [h.voice for h in grid.hits]
    for read, written in zip(midi.pattern.hits, grid.hits, strict=True):
        assert read.beat == pytest.approx(written.beat, abs=0.5 / 960)
        assert read.velocity == pytest.approx(written.velocity, abs=0.5 / 127)


# the benchmark


def test_bench_counts_and_names_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "good.mid").write_bytes(song(hits(0.0, 1.0) + hits(0.0, note=100)))
    (tmp_path / "bad.mid").write_bytes(b"no")
    assert bench([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "1 of 2 loaded" in out
    assert "2 of 3 mapped to voices, 1 unmapped" in out
    assert "note 100 x 1" in out
    assert "bad.mid is not a MIDI file" in out
    assert bench([str(tmp_path / "absent")]) == 2


@pytest.mark.slow
@pytest.mark.skipif(not GROOVES.is_dir(), reason="needs the groove files in ../shared/data")
def test_all_grooves_load(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench([str(GROOVES)]) == 0
    out = capsys.readouterr().out
    assert "1486 of 1486 loaded" in out
    assert "409539 of 409539 mapped" in out


def test_the_package_is_light() -> None:
    code = (
        "import sys, loopnet_cli.pattern; "
        "print([m for m in ('mido', 'pretty_midi', 'numpy', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
