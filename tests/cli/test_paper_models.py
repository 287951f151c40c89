"""``--model`` and ``--isolate`` of ``generate`` and ``transfer``, and ``loopnet models``: each once, what goes wrong.

The weights are random and small; the studio, the transcriber and the features are fakes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fake_ears import FakeTranscriber
from fake_studio import GRID, names
from sounds import drum_loop, encoded

from loopnet_cli.analysis.section import Section
from loopnet_cli.audio import stretch
from loopnet_cli.audio.write import read_loop_metadata
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.synthesis.paper import PaperModel

sys.path.insert(0, str(Path(__file__).parents[1] / "synthesis"))  # pytest's importlib mode adds no test folder
from tiny_paper import HIGH, LOW, write_tiny

needs_program = pytest.mark.skipif(not stretch.has_rubberband(), reason="rubberband is not installed")
ONE_PITCH = "0,0,1" + ",0" * 9
AT_130 = f"bpm=130\n{GRID}"


@pytest.fixture(autouse=True)
def weights(tmp_path) -> None:
    """multi.safetensors, noenv.safetensors and a training run's folder with a STFT model."""
    write_tiny(tmp_path / "multi.safetensors", "multi")
    write_tiny(tmp_path / "noenv.safetensors", "multi-noenv")
    (tmp_path / "run").mkdir()
    write_tiny(tmp_path / "run" / "weights.safetensors", "stft")


@pytest.fixture
def given(monkeypatch) -> list[dict]:
    """What paper models are given."""
    seen: list[dict] = []
    bars = PaperModel.bars

    def spy(self, activations, envelope, chroma, timbre, **rest):
        points = dict(zip(TIMBRE_NAMES, timbre[0].tolist(), strict=True))
        seen.append({"activations": activations[0], "envelope": envelope, "chroma": chroma[0], "timbre": points})
        return bars(self, activations, envelope, chroma, timbre, **rest)

    monkeypatch.setattr(PaperModel, "bars", spy)
    return seen


def made(done) -> dict:
    """Return the one JSON object of a run that went well."""
    assert done.code == 0, done.stderr
    (told,) = done.loops
    return told


class TestGenerate:
    @pytest.mark.parametrize("model", ["multi.safetensors", "noenv.safetensors", "run"])
    def test_a_file_of_weights_or_the_folder_of_a_run(self, loopnet, studio, tmp_path, model):
        told = made(loopnet("generate", AT_130, "--model", model, "-o", "a.wav", "--json", "--seed", 3))
        audio, rate = soundfile.read(tmp_path / "a.wav")
        assert rate == 44100 and audio.shape == (81415,) and np.abs(audio).max() > 0.5
        assert studio.loaded == 0
        wanted = {"multi.safetensors": "multi", "noenv.safetensors": "multi-noenv", "run": "stft"}[model]
        stored = read_loop_metadata(tmp_path / "a.wav").settings
        assert told["model"] == stored["model"] == wanted
        assert told["model_sha256"] == stored["model_sha256"] and len(told["model_sha256"]) == 64

    def test_the_summary_names_the_model(self, loopnet):
        assert "s, model multi, kit tight-studio, seed 3" in loopnet(
            "generate", AT_130, "--model", "multi.safetensors", "-o", "a.wav", "--seed", 3
        ).stderr  # fmt: skip

    @needs_program
    def test_tempo_meter_bars_and_variations(self, loopnet, tmp_path):
        words = ("--bpm", 97.3, "--meter", "3/4", "--bars", 2, "--variations", 2, "--seed", 5, "--out-dir", "o")
        done = loopnet("generate", "kick: x..... snare: ...x..", "--model", "multi.safetensors", "--json", *words)
        assert done.code == 0, done.stderr
        assert [loop["seed"] for loop in done.loops] == [5, 6]
        one, two = (soundfile.read(loop["path"])[0] for loop in done.loops)
        assert len(one) == len(two) == round(60 / 97.3 * 6 * 44100) and not np.array_equal(one, two)

    @needs_program
    def test_a_seed_is_a_file(self, loopnet, tmp_path):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            words = ("--model", "multi.safetensors", "--bpm", 100, "--seed", seed, "-o", f"{name}.wav")
            assert loopnet("generate", GRID, *words).code == 0
        a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
        assert a == b != c

    def test_kit_knobs_and_chroma(self, loopnet, given):
        words = ("--kit", "warm-808", "--low-depth", ".9", "--warmth", "+.1", "--chroma", ONE_PITCH)
        told = made(loopnet("generate", AT_130, "--model", "multi.safetensors", "-o", "a.wav", "--json", *words))
        points = given[0]["timbre"]
        assert points["low.depth"] == pytest.approx(LOW["low.depth"] + 0.9 * 50, abs=1e-3)
        controls = told["controls"]["timbre"]
        assert controls["low.depth"] == {"given": True, "asked": 0.9, "measured": 0.25}
        for name in ("mid.warmth", "mid.depth"):
            in_units = (points[name] - LOW[name]) / (HIGH[name] - LOW[name])
            assert controls[name]["asked"] == pytest.approx(in_units, abs=1e-4)
        assert given[0]["chroma"].tolist() == [0, 0, 1] + [0] * 9

    def test_a_plot_and_a_sample_rate(self, loopnet, tmp_path):
        words = ("--plot", "a.png", "--sample-rate", 48000, "--repeat", 2, "--format", "flac", "-o", "a.flac")
        assert loopnet("generate", AT_130, "--model", "multi.safetensors", *words).code == 0
        assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
        audio, rate = soundfile.read(tmp_path / "a.flac")
        assert rate == 48000 and len(audio) == 2 * round(60 / 130 * 4 * 48000)

    def test_isolate_silences_the_other_activations(self, loopnet, given, tmp_path):
        words = ("--model", "multi.safetensors", "--isolate", "snare", "--seed", 1)
        told = made(loopnet("generate", AT_130, "-o", "a.wav", "--json", *words))
        assert told["isolate"] == ["snare"]
        whole, alone = given
        assert whole["activations"].max(axis=0).min() > 0.5
        assert not alone["activations"][:, [0, 2]].any()
        assert np.array_equal(alone["activations"][:, 1], whole["activations"][:, 1])
        assert alone["envelope"][0, :3000].max() < 0.5 * whole["envelope"][0, :3000].max()

    def test_a_drum_that_it_does_not_know(self, loopnet):
        grid = "bpm=130\nkick: x... tom: ..x."
        done = loopnet("generate", grid, "--model", "noenv.safetensors", "-o", "a.wav")
        assert done.code == 0 and "warning: a.wav: tom are not heard" in done.stderr
        words = ("--model", "multi.safetensors", "--isolate", "tom", "-o", "b.wav")
        loopnet("generate", grid, *words).refused(1, "no tom to be left alone", "kick, snare and hat alone")

    def test_no_stems(self, loopnet, tmp_path):
        done = loopnet("generate", AT_130, "--model", "multi.safetensors", "--stems", "s", "-o", "a.wav")
        done.refused(2, "--stems", "no stems", "--isolate")
        assert not (tmp_path / "a.wav").exists()

    def test_models_that_are_not_there(self, loopnet, tmp_path):
        loopnet("generate", GRID, "--model", "mutli", "-o", "a.wav").refused(2, "unknown model 'mutli'", "multi")
        loopnet("generate", GRID, "--model", "no.safetensors", "-o", "a.wav").refused(1, "no.safetensors", "no such")
        (tmp_path / "bad.safetensors").write_bytes(b"\x10" + bytes(40))
        done = loopnet("generate", AT_130, "--model", "bad.safetensors", "-o", "a.wav", "--isolate", "kick")
        done.refused(1, "bad.safetensors: not usable weights", "name another file")
        assert names(tmp_path) == {
            "bad.safetensors",
            "multi.safetensors",
            "noenv.safetensors",
            "run/weights.safetensors",
        }

    def test_without_rubberband_one_line_and_nothing_half_done(self, loopnet, monkeypatch, tmp_path):
        monkeypatch.setattr(stretch, "PROGRAM", "no-such-program")
        words = ("--model", "multi.safetensors", "--out-dir", "o", "--seed", 1)
        done = loopnet("generate", AT_130, GRID, *words, "--name", "{bpm}")
        done.refused(1, "sudo apt install rubberband-cli")
        assert not (tmp_path / "o").exists()
        assert loopnet("generate", AT_130, *words, "--name", "{model}").code == 0
        assert (tmp_path / "o" / "multi.wav").exists()


class TestTheStudio:
    def test_it_is_the_default_and_can_be_named(self, loopnet, studio, tmp_path):
        assert loopnet("generate", GRID, "-o", "a.wav", "--seed", 1).code == 0
        assert loopnet("generate", GRID, "-o", "b.wav", "--seed", 1, "--model", "studio").code == 0
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
        assert studio.loaded == 2

    def test_isolate_keeps_the_stem_as_it_is_among_the_others(self, loopnet, tmp_path):
        words = ("--seed", 1, "--normalize", "none", "--subtype", "float")
        assert loopnet("generate", GRID, "-o", "all.wav", "--stems", "s", *words).code == 0
        told = made(loopnet("generate", GRID, "-o", "a.wav", "--isolate", "kick,hat", "--json", *words))
        assert told["isolate"] == ["kick", "hat_closed"]
        stems = {path.stem: soundfile.read(path)[0] for path in (tmp_path / "s").iterdir()}
        wanted = stems["all_kick"] + stems["all_hat"]
        np.testing.assert_allclose(soundfile.read(tmp_path / "a.wav")[0], wanted, atol=1e-6)
        assert read_loop_metadata(tmp_path / "a.wav").settings["isolate"] == ["kick", "hat_closed"]

    def test_isolate_nothing_and_what_is_not_played(self, loopnet):
        loopnet("generate", GRID, "-o", "a.wav", "--isolate", "cowbell").refused(2, "--isolate", "cowbell")
        loopnet("generate", GRID, "-o", "a.wav", "--isolate", ",").refused(2, "--isolate names no voice")
        loopnet("generate", GRID, "-o", "a.wav", "--isolate", "ride").refused(1, "no ride to be left alone")


class TestTransfer:
    @pytest.fixture(autouse=True)
    def fakes(self, monkeypatch, tmp_path):
        """A transcriber, bars, and features that cost nothing; a.wav at 120 and b.wav at 130 BPM."""
        monkeypatch.setattr("loopnet_cli.analysis.transcriber.load_transcriber", lambda folder=None: FakeTranscriber())

        def find_section(audio, sample_rate, *, bpm=None, bars=None, meter=None, **rest):
            seconds = len(audio) / sample_rate
            count = bars or max(1, round(seconds / 2))
            tempo = 60 * count * 4 / seconds
            return Section(0.0, seconds, tempo, count, (4, 4), True, 0.9, "length", {"length": tempo})

        def timbre_features(audio, sample_rate, *, circular=True):
            # a.wav is 2 s long, b.wav less
            return {name: (30.0 if len(audio) > 85000 else 50.0) + index for index, name in enumerate(TIMBRE_NAMES)}

        monkeypatch.setattr("loopnet_cli.analysis.section.find_section", find_section)
        monkeypatch.setattr("loopnet_cli.analysis.timbre.timbre_features", timbre_features)
        monkeypatch.setattr("loopnet_cli.analysis.hearing._chroma", lambda *_: np.linspace(0, 1, 12, dtype=np.float32))
        (tmp_path / "a.wav").write_bytes(encoded(drum_loop(bars=1, bpm=120)))
        (tmp_path / "b.wav").write_bytes(encoded(drum_loop(bars=1, bpm=130)))

    @needs_program
    def test_the_rhythm_as_heard_in_the_features_of_the_other(self, loopnet, studio, given, tmp_path):
        words = ("--rhythm", "a.wav", "--timbre", "b.wav", "--model", "multi.safetensors", "-o", "out.wav")
        told = made(loopnet("transfer", *words, "--json", "--seed", 1))
        audio, rate = soundfile.read(tmp_path / "out.wav")
        assert rate == 44100 and audio.shape == (88200,) and studio.loaded == 0
        (asked,) = given
        # the fake ear hears a kick on the first beat for one frame; 120 BPM have become 130
        assert asked["activations"].shape == (29538, 3) and asked["activations"][:40, 0].min() > 0.8
        assert 0.3 < asked["envelope"].max() <= 0.7
        assert asked["timbre"]["low.hardness"] == pytest.approx(50, abs=1e-3)
        assert asked["chroma"].tolist() == pytest.approx(np.linspace(0, 1, 12).tolist())
        assert told["model"] == "multi" and told["timbre"]["kit"] == "b"
        stored = read_loop_metadata(tmp_path / "out.wav").settings
        assert stored["transfer"]["rhythm"] == "a.wav" and stored["model"] == "multi"

    def test_amount_blends_what_the_paper_knows_of_both(self, loopnet, given):
        words = ("--rhythm", "b.wav", "--timbre", "a.wav", "--model", "noenv.safetensors", "--seed", 1)
        assert loopnet("transfer", *words, "-o", "out.wav", "--amount", 0.25).code == 0
        assert given[-1]["timbre"]["low.hardness"] == pytest.approx(0.75 * 50 + 0.25 * 30, abs=1e-3)
        assert given[-1]["envelope"] is None

    def test_a_kit_a_grid_own_kit_and_knobs(self, loopnet, given):
        words = ("--rhythm", AT_130, "--timbre", "warm-808", "--model", "multi.safetensors", "-o", "out.wav")
        more = ("--own-kit", "dusty-vinyl", "--amount", 0.5, "--set", "low.depth=.5", "--chroma", ONE_PITCH, "--json")
        told = made(loopnet("transfer", *words, *more))
        assert told["own"] == "dusty-vinyl" and given[0]["chroma"].tolist() == [0, 0, 1] + [0] * 9
        assert given[0]["timbre"]["low.depth"] == pytest.approx(LOW["low.depth"] + 25, abs=1e-3)

    @pytest.mark.parametrize("option", ["--only", "--isolate"])
    def test_only_is_isolate(self, loopnet, given, option):
        words = ("--rhythm", "b.wav", "--timbre", "warm-808", "--model", "multi.safetensors", "-o", "out.wav")
        assert loopnet("transfer", *words, option, "snare").code == 0
        whole, alone = given
        assert not alone["activations"][:, [0, 2]].any() and alone["activations"][:, 1].max() > 0.9
        assert np.array_equal(alone["activations"][:, 1], whole["activations"][:, 1])

    def test_quantized_the_hits_count_and_not_the_activations(self, loopnet, given):
        words = ("--rhythm", "b.wav", "--timbre", "warm-808", "--model", "multi.safetensors", "-o", "out.wav")
        assert loopnet("transfer", *words, "--quantize", 4).code == 0
        kick = given[0]["activations"][:, 0]
        # the kick at 5/8 of the bar goes to the second or the third quarter
        assert kick[round(0.625 * 29538) - 200 : round(0.625 * 29538) + 200].max() < 0.05 < kick.max()

    def test_many_pairs_a_picture_and_a_page(self, loopnet, tmp_path):
        words = ("--rhythm", "b.wav", "--rhythm", AT_130, "--timbre", "warm-808", "--timbre", "b.wav")
        more = ("--model", "run", "--out-dir", "o", "--seed", 1, "--plot", "o/{rhythm}_{timbre}.png")
        done = loopnet("transfer", *words, *more)
        assert done.code == 0, done.stderr
        assert len([name for name in names(tmp_path / "o") if name.endswith(".wav")]) == 4
        assert len([name for name in names(tmp_path / "o") if name.endswith(".png")]) == 4

    def test_no_stems_and_no_program(self, loopnet, monkeypatch):
        words = ("--rhythm", "a.wav", "--timbre", "warm-808", "--model", "multi.safetensors")
        loopnet("transfer", *words, "-o", "a.wav", "--stems", "s").refused(2, "--stems", "no stems")
        monkeypatch.setattr(stretch, "PROGRAM", "no-such-program")
        pairs = ("--rhythm", "a.wav", "--timbre", "warm-808", "--timbre", "dusty-vinyl", "--model", "multi.safetensors")
        loopnet("transfer", *pairs, "--out-dir", "o").refused(1, "sudo apt install rubberband-cli")


class TestModels:
    def test_the_list(self, loopnet):
        lines = loopnet("models").stdout.splitlines()
        assert lines == loopnet("models", "list").stdout.splitlines()
        assert lines[0].split()[:3] == ["model", "size", "parameters"]
        assert lines[1].startswith("studio ") and "44.1 kHz" in lines[1]
        assert {"studio", "ear", "strokes"} <= {line.split()[0] for line in lines[1:]}

    def test_the_list_as_json(self, loopnet):
        told = {model["name"]: model for model in json.loads(loopnet("models", "list", "--json").stdout)}
        assert told["studio"]["sample_rate"] == 44100 and len(told["studio"]["sha256"]) == 64
        assert told["studio"]["parameters"] > 4_000_000 and told["ear"]["bytes"] > 1_000_000
        assert told["ear"]["card"] == told["strokes"]["card"] == "ear.md"

    def test_a_card(self, loopnet):
        shown = loopnet("models", "show", "ear").stdout
        assert shown.startswith("ear: recording to strokes") and "# Model card: ear" in shown and "\x1b" not in shown
        told = json.loads(loopnet("models", "show", "ear", "--json").stdout)
        assert told["name"] == "ear" and "Model card" in told["card_text"]

    def test_one_that_is_not_there(self, loopnet):
        loopnet("models", "show", "era").refused(2, "unknown model 'era'", "did you mean ear?")

    def test_one_that_does_not_come_with_this_version(self, loopnet, tmp_path, monkeypatch):
        (tmp_path / "manifest.json").write_text("{}")
        monkeypatch.setattr("loopnet_cli.synthesis.bank.weights_folder", lambda: tmp_path)
        loopnet("models", "show", "wav").refused(1, "loopnet train --model wav")
        assert len(loopnet("models").stdout.splitlines()) == 1

    def test_a_paper_model_that_comes_with_it(self, loopnet, tmp_path, monkeypatch):
        import hashlib

        path = write_tiny(tmp_path / "paper-wav.safetensors", "wav", metadata={"dataset": "rendered, 9 bars"})
        (tmp_path / "paper.md").write_text("# The paper's models\n")
        (tmp_path / "manifest.json").write_text(json.dumps({path.name: hashlib.sha256(path.read_bytes()).hexdigest()}))
        monkeypatch.setattr("loopnet_cli.synthesis.bank.weights_folder", lambda: tmp_path)
        (told,) = json.loads(loopnet("models", "list", "--json").stdout)
        assert (told["name"], told["sample_rate"], told["metadata"]["dataset"]) == ("wav", 16000, "rendered, 9 bars")
        shown = loopnet("models", "show", "wav").stdout
        assert "130 BPM" in shown and "rendered, 9 bars" in shown and "# The paper's models" in shown

    @pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
    def test_on_a_terminal_the_card_is_laid_out(self):
        import pty

        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "80"}
        master, slave = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "loopnet_cli", "models", "show", "ear"], stdout=slave, stderr=slave, env=env
        ) as process:
            os.close(slave)
            shown = b""
            try:
                while part := os.read(master, 4096):
                    shown += part
            except OSError:
                pass
        os.close(master)
        assert process.returncode == 0
        assert b"# Model card" not in shown and b"Model card: ear" in shown


def test_a_paper_model_loads_neither_torch_nor_essentia(tmp_path):
    code = (
        "import sys, atexit, json\n"
        "heavy = ['torch', 'essentia', 'madmom', 'scipy.signal', 'librosa', 'matplotlib',"
        " 'loopnet_cli.synthesis.studio', 'loopnet_cli.training']\n"
        "atexit.register(lambda: print(json.dumps([m for m in heavy if m in sys.modules]), file=sys.stderr))\n"
        "from loopnet_cli.cli.app import main\nmain()"
    )
    words = ["generate", AT_130, "--model", "multi.safetensors", "-o", "a.wav"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, cwd=tmp_path, env=env, timeout=120)
    assert done.returncode == 0 and (tmp_path / "a.wav").is_file(), done.stderr
    assert json.loads(done.stderr.splitlines()[-1]) == []
