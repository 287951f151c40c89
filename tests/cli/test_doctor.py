"""``loopnet doctor``: right about what works, unshaken by what does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loopnet_cli import diagnosis
from loopnet_cli.synthesis import bank, kit_store

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def weights(tmp_path_factory, monkeypatch) -> Path:
    """A copy of the weights, to be damaged."""
    folder = tmp_path_factory.mktemp("copy") / "weights"
    folder.mkdir()
    for name in ("manifest.json", *json.loads((bank.weights_folder() / "manifest.json").read_text())):
        shutil.copy(bank.weights_folder() / name, folder / name)
    monkeypatch.setattr(bank, "weights_folder", lambda: folder)
    return folder


def checks(done) -> dict[str, dict]:
    (told,) = done.loops
    assert told["ok"] == (done.code == 0) == (not any(c["status"] == "broken" for c in told["checks"]))
    return {check["name"]: check for check in told["checks"]}


@pytest.mark.slow
def test_a_whole_run(tmp_path):
    """With everything: libraries loaded, a bar rendered and timed."""
    environment = {**os.environ, "LOOPNET_DATA": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "loopnet_cli", "doctor", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=REPOSITORY, env=environment, timeout=300)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    for name in ("python", "numpy", "soundfile", "weights/studio.safetensors", "processors", "your kits", "a bar"):
        assert found[name]["status"] == "ok" and found[name]["fix"] == "", found[name]
    assert "libsndfile" in found["soundfile"]["found"] and "OMP_NUM_THREADS=1" in found["processors"]["found"]
    assert "s cold" in found["a bar"]["found"] and "ms warm" in found["a bar"]["found"]
    for name in ("torch", "rubberband", "madmom", "audio device", "essentia"):
        assert found[name]["status"] == "ok" or found[name]["fix"], found[name]
    assert not (tmp_path / "data").exists()


def test_lines_for_people(loopnet):
    done = loopnet("doctor", "--fast")
    assert done.code == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok  loopnet") and lines[-1].startswith("all that is needed works")


def test_damaged_weights(loopnet, weights):
    content = bytearray((weights / "studio.safetensors").read_bytes())
    content[-1] ^= 1
    (weights / "studio.safetensors").write_bytes(content)
    (weights / "ear.safetensors").unlink()
    done = loopnet("doctor", "--fast", "--json")
    found = checks(done)
    assert done.code == 1
    assert found["weights/studio.safetensors"]["found"] == "damaged: wrong checksum"
    assert "cannot be read: No such file" in found["weights/ear.safetensors"]["found"]
    assert found["weights/studio.safetensors"]["fix"] == "pip install --force-reinstall loopnet"
    assert found["weights/kits.json"]["status"] == "ok"
    lines = loopnet("doctor", "--fast").stdout.splitlines()
    assert lines[-1] == "broken: weights/studio.safetensors, weights/ear.safetensors"
    assert any(line.strip() == "-> pip install --force-reinstall loopnet" for line in lines)


@pytest.mark.parametrize("content", ["", "[1]", "{", "\x00", '{"a": {"b": 1}}', '{"../../../etc/passwd": "0"}'])
def test_a_damaged_list_of_weights(loopnet, weights, content):
    (weights / "manifest.json").write_text(content)
    found = checks(loopnet("doctor", "--fast", "--json"))
    assert any(name.startswith("weights") and check["status"] == "broken" for name, check in found.items())
    assert found["python"]["status"] == "ok" and "numpy" in found


def test_no_weights_at_all(loopnet, monkeypatch):
    def none():
        raise bank.WeightsError("no weights found: install loopnet again")

    monkeypatch.setattr(bank, "weights_folder", none)
    assert checks(loopnet("doctor", "--fast", "--json"))["weights"]["found"].startswith("no weights found")


def test_everything_broken_at_once(loopnet, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("out of\norder")

    for name in ("_versions", "_weights", "_packages", "_extras", "_rubberband", "_threads", "_user_folder"):
        monkeypatch.setattr(diagnosis, name, broken)
    found = checks(loopnet("doctor", "--fast", "--json"))
    assert {check["found"] for check in found.values()} == {"RuntimeError: out of order"} and len(found) == 7


def test_libraries_that_do_not_load(monkeypatch, tmp_path):
    """One is missing, one raises, one takes the process with it; those behind are tried all the same."""
    (tmp_path / "raises.py").write_text("raise ValueError('built for\\nanother numpy')")
    (tmp_path / "crashes.py").write_text("import os; os._exit(139)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(diagnosis, "NEEDED", {"raises": "raises", "crashes": "crashes", "mido": "mido"})
    monkeypatch.setattr(diagnosis, "USED", {"no-such-thing": ("no_such_thing", "nothing")})
    found = {finding.name: finding for finding in diagnosis._loaded_packages()}
    assert [finding.status for finding in found.values()] == ["broken", "broken", "ok", "missing"]
    assert found["no-such-thing"].found == "not installed, for nothing"
    assert found["no-such-thing"].fix == "pip install no-such-thing"


def test_a_library_that_hangs(monkeypatch, tmp_path):
    (tmp_path / "hangs.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(diagnosis, "TIMEOUT", 1.0)
    monkeypatch.setattr(diagnosis, "NEEDED", {"hangs": "hangs"})
    monkeypatch.setattr(diagnosis, "USED", {})
    (finding,) = diagnosis._loaded_packages()
    assert finding.status == "broken"


def test_a_bar_that_cannot_be_made(monkeypatch):
    monkeypatch.setattr(diagnosis, "GRID", "kick: ?")
    (finding,) = diagnosis._bar()
    assert finding.status == "broken" and "loopnet: error" in finding.found


def test_rubberband(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (finding,) = diagnosis._rubberband()
    assert finding.status == "missing" and "rubberband" in finding.fix
    program = tmp_path / "rubberband"
    for script, status in (("echo 9.9 >&2", "ok"), ("exit 3", "missing")):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        (finding,) = diagnosis._rubberband()
        assert finding.status == status and (status != "ok" or finding.found == f"9.9 in {program}")


def test_the_folder_of_ones_own_kits(loopnet, own_kits, monkeypatch, tmp_path):
    assert checks(loopnet("doctor", "--fast", "--json"))["your kits"]["found"].startswith("none in ")
    own_kits.mkdir()
    (own_kits / "bad.json").write_text("{}")
    found = checks(loopnet("doctor", "--fast", "--json"))["your kits"]
    assert found["status"] == "missing" and "1 that cannot be used" in found["found"] and "kits remove" in found["fix"]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(kit_store.DATA_VARIABLE, str(tmp_path / "file"))
    found = checks(loopnet("doctor", "--fast", "--json"))["your kits"]
    assert "cannot be written" in found["found"] and "LOOPNET_DATA" in found["fix"]


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(diagnosis, "PYTHONS", ((3, 99), (4, 0)))
    assert [finding.status for finding in diagnosis._versions()] == ["ok", "broken"]
