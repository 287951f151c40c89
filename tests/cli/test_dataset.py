"""``loopnet dataset``: each option, what goes where, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fake_ears import FakeTranscriber
from fake_studio import beat
from sounds import drum_loop

from loopnet_cli.audio.stretch import has_rubberband
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data import bar_features, curation, rendered
from loopnet_cli.data.curation import split_of
from loopnet_cli.data.rows import SPLITS
from loopnet_cli.data.store import BarStore
from loopnet_cli.pattern.write import write_midi

needs_rubberband = pytest.mark.skipif(not has_rubberband(), reason="the program rubberband is not installed")
pytestmark = needs_rubberband


@pytest.fixture(autouse=True)
def cheap(studio, monkeypatch):
    """Ears, timbre and chroma that cost nothing; sources that are of this test."""
    rng = np.random.default_rng(1)
    monkeypatch.setattr(curation, "ears", FakeTranscriber)
    monkeypatch.setattr(
        bar_features, "timbre_features", lambda *a: dict(zip(TIMBRE_NAMES, rng.random(21), strict=True))
    )
    monkeypatch.setattr(bar_features, "chroma", lambda *a: rng.random(12).astype(np.float32))
    rendered._source.cache_clear()
    yield
    rendered._source.cache_clear()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A loop at 130 BPM, one at 65 by its name, one at 100, one that no name gives a tempo, a text file."""
    where = tmp_path / "in"
    where.mkdir()
    for name, bpm, level in (
        ("a_130bpm", 130.0, 0.8), ("b_65bpm", 130.0, 0.7), ("c_100bpm", 100.0, 0.6), ("d_131bpm", 130.0, 0.5)
    ):  # fmt: skip
        soundfile.write(where / f"{name}.wav", drum_loop(1, bpm, level=level), 44100)
    (where / "notes.txt").write_text("hello")
    return where


def kept(path: Path) -> list[str]:
    with BarStore(path) as store:
        return [loop.name[0] for loop in store.loops()]


def build(loopnet, folder, *words):
    return loopnet("dataset", "build", folder, "-o", "bars.h5", "--workers", 0, *words)


def test_build(loopnet, folder):
    done = build(loopnet, folder)
    assert done.code == 0 and done.stdout == ""
    assert "loops kept" in done.stderr and "wrote bars.h5" in done.stderr
    for reason in ("tempo out of range", "length is no whole beats", "not audio by its name"):
        assert reason in done.stderr
    assert kept(Path("bars.h5")) == ["a"] and not Path("bars.h5.parts").exists()


def test_tempo_range(loopnet, folder):
    assert build(loopnet, folder, "--tempo-range", "90:135").code == 0
    assert kept(Path("bars.h5")) == ["a", "c"]


def test_fold(loopnet, folder):
    assert build(loopnet, folder, "--fold").code == 0
    with BarStore("bars.h5") as store:
        assert [(loop.name[0], loop.folded) for loop in store.loops()] == [("a", 1.0), ("b", 2.0)]


def test_confidence(loopnet, folder):
    assert build(loopnet, folder, "--confidence", 0.9).code == 0
    assert kept(Path("bars.h5")) == ["a", "d"]


def test_tempos(loopnet, folder):
    Path("t.csv").write_text("file,bpm\nc_100bpm.wav,120\nd_131bpm.wav,130\nnone.wav,1e2\n")
    done = build(loopnet, folder, "--tempos", "t.csv")
    assert kept(Path("bars.h5")) == ["a", "d"]
    assert "1 of 3 files are not there: none.wav" in done.stderr
    with BarStore("bars.h5") as store:
        assert [loop.tempo_from for loop in store.loops()] == ["file name", "table"]


def test_rejected(loopnet, folder):
    build(loopnet, folder, "--rejected", "out.csv")
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0] == "source,reason,detail" and len(lines) == 5
    assert any("c_100bpm.wav,tempo out of range,100 BPM (file name)" in line for line in lines)


def test_no_studio(loopnet, folder):
    build(loopnet, folder, "--no-studio")
    with BarStore("bars.h5") as store:
        assert not store.has_studio_audio


def test_seed(loopnet, folder):
    found = []
    for _ in range(2):
        seed = (
            0
            if not found
            else next(n for n in range(1000) if split_of(found[0].sha256, n) != SPLITS.index(found[0].split))
        )
        assert build(loopnet, folder, "--seed", seed, "--overwrite", "-q").code == 0
        with BarStore("bars.h5") as store:
            found.append(store.loops()[0])
    assert found[0].sha256 == found[1].sha256 and found[0].split != found[1].split


def test_quiet_and_json(loopnet, folder):
    assert build(loopnet, folder, "--quiet").stderr == ""
    (told,) = build(loopnet, folder, "--json", "--overwrite", "-q").loops
    assert told["loops"]["train"] + told["loops"]["test"] == 1 and len(told["rejected"]) == 4
    assert told["reasons"]["not audio by its name"] == 1 and told["tempo_from"] == {"file name": 1}


def test_what_exists_is_not_replaced(loopnet, folder):
    Path("bars.h5").write_bytes(b"mine")
    build(loopnet, folder).refused(1, "bars.h5 exists", "--overwrite")
    assert Path("bars.h5").read_bytes() == b"mine"
    assert build(loopnet, folder, "--overwrite").code == 0 and kept(Path("bars.h5")) == ["a"]


def test_nothing_kept(loopnet, folder):
    done = build(loopnet, folder, "--tempo-range", "200:210", "--rejected", "out.csv", "--json")
    done.refused(1, "nothing was kept")
    assert done.loops[0]["reasons"]["tempo out of range"] == 4 and "left out" in done.stderr
    assert len(Path("out.csv").read_text().splitlines()) == 6 and not Path("bars.h5").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["none"], "none: no such folder"),
        (["in", "--tempo-range", "140"], "--tempo-range 140"),
        (["in", "--tempos", "none.csv"], "none.csv"),
        (["in", "--confidence", "2"], "--confidence"),
        (["in", "--workers", "-1"], "--workers"),
    ],
)
def test_what_is_refused(loopnet, folder, words, part):
    done = loopnet("dataset", "build", *words, "-o", "bars.h5")
    done.refused(1 if "none.csv" in words else 2, part)


def test_a_folder_in_the_way(loopnet, folder):
    loopnet("dataset", "build", folder, "-o", folder, "--workers", 0).refused(1, "is a folder")


def test_without_rubberband(loopnet, folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    build(loopnet, folder).refused(1, "rubberband", "apt install rubberband-cli")


def render(loopnet, *words):
    return loopnet("dataset", "render", "-o", "bars.h5", "--workers", 0, *words)


def test_render(loopnet):
    done = render(loopnet, "--bars", 10, "--seed", 4)
    assert done.code == 0 and "10: 9 train, 1 test" in done.stderr
    with BarStore("bars.h5") as store:
        assert len(store) == 10 and store.settings["seed"] == 4 and store.has_studio_audio


def test_render_says_the_same_for_the_same_seed(loopnet):
    contents = []
    for seed in (4, 4, 5):
        render(loopnet, "--bars", 1, "--seed", seed, "--overwrite", "--no-studio")
        with BarStore("bars.h5") as store:
            contents.append(store.read([0]).audio)
    assert (contents[0] == contents[1]).all() and (contents[0] != contents[2]).any()


def test_render_patterns(loopnet, tmp_path):
    (tmp_path / "midi").mkdir()
    for n in range(2):
        write_midi(beat(), tmp_path / "midi" / f"{n}.mid")
    assert render(loopnet, "--bars", 1, "--patterns", "midi").code == 0
    with BarStore("bars.h5") as store:
        assert [hit.voice for hit in store.patterns([0])[0].hits] == ["kick", "hat_closed", "snare"]


def test_render_activations(loopnet):
    render(loopnet, "--bars", 1, "--activations", "exact", "--json", "-q")
    with BarStore("bars.h5") as store:
        exact = store.read([0]).activations
    render(loopnet, "--bars", 1, "--activations", "heard", "--overwrite")
    with BarStore("bars.h5") as store:
        heard = store.read([0]).activations
    assert set(np.unique(heard)) <= {0.0, 1.0} and len(np.unique(exact)) > 2  # the fake ears know no between


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["--bars", "0"], 2, "--bars"),
        ([], 2, "--bars"),
        (["--bars", "1", "--material", "none"], 2, "none: no such folder"),
        (["--bars", "1", "--material", ".", "--patterns", "."], 2, "--patterns"),
        (["--bars", "1", "--material", "."], 1, "no one-shots"),
        (["--bars", "1", "--activations", "guessed"], 2, "guessed"),
    ],
)
def test_render_refuses(loopnet, words, code, part):
    render(loopnet, *words).refused(code, part)


def test_inspect(loopnet, folder):
    build(loopnet, folder, "--fold")
    done = loopnet("dataset", "inspect", "bars.h5")
    assert done.code == 0 and done.stderr == ""
    for part in ("bars.h5", "16 kHz and 44.1 kHz", "130 to 130 BPM", "high.sharpness", "chroma.C#", "left out"):
        assert part in done.stdout
    (told,) = loopnet("dataset", "inspect", "bars.h5", "--json").loops
    assert told["bars"]["train"] + told["bars"]["test"] == 2 and told["settings"]["fold"] is True
    assert [one["reason"] for one in told["rejected"]] == [
        "tempo out of range", "length is no whole beats", "not audio by its name"
    ]  # fmt: skip
    assert told["activations"]["kick"]["silent_bars"] == 0 and told["constant"] == []


def test_inspect_finds_constant_features(loopnet, folder, monkeypatch):
    # as in analyses of a band above what the sample rate can hold
    monkeypatch.setattr(bar_features, "timbre_features", lambda *a: dict.fromkeys(TIMBRE_NAMES, 5.0))
    build(loopnet, folder, "--fold")
    (told,) = loopnet("dataset", "inspect", "bars.h5", "--json").loops
    assert told["constant"] == [f"timbre.{name}" for name in TIMBRE_NAMES]


def test_inspect_refuses(loopnet, tmp_path):
    (tmp_path / "a.h5").write_text("hello")
    loopnet("dataset", "inspect", "a.h5").refused(1, "a.h5", "no data set")
    loopnet("dataset", "inspect", "none.h5").refused(1, "no such file")


def test_help_loads_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys; from loopnet_cli.cli import dataset;"
        "print([m for m in ('h5py', 'torch', 'essentia', 'scipy.signal', 'numpy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout.replace("'", '"')) == []
