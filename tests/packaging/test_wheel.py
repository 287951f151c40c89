"""The built wheel carries weights and licences, and makes a loop where the repository is not."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling builds the wheel (extra: dev)")
pytest.importorskip("editables", reason="editables is needed to build without isolation (extra: dev)")

REPOSITORY = Path(__file__).parents[2]
AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff"}


def build(target: str, folder: Path) -> Path:
    """Build the ``wheel`` or ``sdist`` of the repository into `folder`."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the wheel alone is installed to (its dependencies come from this environment)."""
    target = tmp_path_factory.mktemp("elsewhere")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-qq",
        "--no-index",
        "--no-deps",
        "--target",
        str(target),
    ]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return target


def run_installed(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python outside the repository, with the installed copy ahead of any other on the path."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def write_beat(path: Path) -> None:
    """Write one bar of kick, snare and hats at 120 BPM."""
    import mido

    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120)))
    for step in range(8):
        notes = [42] + ([36] if step % 4 == 0 else []) + ([38] if step % 4 == 2 else [])
        track.extend(mido.Message("note_on", channel=9, note=n, velocity=100, time=0) for n in notes)
        for place, note in enumerate(notes):
            track.append(mido.Message("note_off", channel=9, note=note, time=240 if place == 0 else 0))
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(path)


def test_wheel_carries_every_weights_file(wheel: Path) -> None:
    # hidden files (.gitkeep and the like) are no weights
    expected = {p.name for p in (REPOSITORY / "weights").iterdir() if p.is_file() and p.name[0] != "."}
    assert any(name.endswith(".safetensors") for name in expected), "weights/ holds no model"
    names = zipfile.ZipFile(wheel).namelist()
    assert expected <= {Path(name).name for name in names if name.startswith("loopnet_cli/weights/")}


def test_wheel_holds_the_package_its_licences_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"loopnet_cli"}
    assert not [name for name in names if Path(name).suffix in AUDIO]
    assert "loopnet_cli/py.typed" in names
    licences = {Path(name).name for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_wheel_carries_the_parts_of_the_page(wheel: Path) -> None:
    parts = {path.name for path in (REPOSITORY / "loopnet_cli" / "report" / "assets").iterdir()}
    with zipfile.ZipFile(wheel) as archive:
        carried = {name.rsplit("/", 1)[1] for name in archive.namelist() if "/report/assets/" in name}
    assert {"page.html", "page.css", "main.js"} <= parts == carried


def test_wheel_names_the_console_script(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
    parser = configparser.ConfigParser()
    parser.read_string(archive.read(name).decode())
    assert parser["console_scripts"]["loopnet"] == "loopnet_cli.cli.app:main"


def test_wheel_makes_a_loop_where_the_repository_is_not(installed: Path, tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    place = run_installed(installed, tmp_path, "-c", "import loopnet_cli; print(loopnet_cli.__file__)")
    assert Path(place.stdout.strip()).is_relative_to(installed), place.stderr

    write_beat(tmp_path / "beat.mid")
    result = run_installed(
        installed, tmp_path, "-m", "loopnet_cli", "generate", "beat.mid", "--seed", "1", "-o", "loop.wav"
    )
    assert result.returncode == 0, result.stderr
    audio, rate = soundfile.read(tmp_path / "loop.wav")
    assert (rate, len(audio)) == (44100, 2 * 44100)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() > 0.05


def test_the_weights_it_used_were_those_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Without them the installed copy says so in one line, instead of finding others."""
    bare = tmp_path / "bare"
    shutil.copytree(installed, bare)
    shutil.rmtree(bare / "loopnet_cli" / "weights")
    write_beat(tmp_path / "beat.mid")
    result = run_installed(bare, tmp_path, "-m", "loopnet_cli", "generate", "beat.mid", "-o", "loop.wav")
    assert result.returncode == 1
    assert "weights" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "loop.wav").exists()


def test_sdist_can_be_built_from_and_holds_no_recordings(tmp_path: Path) -> None:
    archive = build("sdist", tmp_path / "sdist")
    with tarfile.open(archive) as tar:
        names = {str(Path(*Path(name).parts[1:])) for name in tar.getnames()}
        assert {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "Makefile", "constraints.txt"} <= names
        assert any(name.startswith("weights/") and name.endswith(".safetensors") for name in names)
        assert not [name for name in names if Path(name).suffix in AUDIO]
        tar.extractall(tmp_path, filter="data")
    (source,) = (p for p in tmp_path.iterdir() if p.name.startswith("loopnet-"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheel")]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheel").iterdir()
    assert any(n.endswith(".safetensors") for n in zipfile.ZipFile(wheel).namelist())
