"""``loopnet train``: each option once through the real command, what it leaves, what it refuses."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("h5py")

from loopnet_cli.cli.app import app  # noqa: E402
from loopnet_cli.synthesis.paper import PaperModel, load_paper  # noqa: E402
from loopnet_cli.synthesis.papernet import PAPER_MODELS, PAPER_SAMPLES, PaperConfig  # noqa: E402
from loopnet_cli.training import paper  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluation"))  # pytest's importlib mode adds no test folder
from tiny_store import write_store  # noqa: E402

REPOSITORY = Path(__file__).parents[2]
WAIT = 120


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    """One thread; data sets of this module are opened at once and not first in a process of their own."""
    if "real_probe" not in request.fixturenames:
        monkeypatch.setattr("loopnet_cli.data.probe.probe", lambda path: None)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def real_probe() -> None:
    """Ask for the look at a file from outside that a child process takes."""


@pytest.fixture(scope="module")
def bars(tmp_path_factory) -> Path:
    """Two test bars and six others, of which one chooses the epoch."""
    return write_store(tmp_path_factory.mktemp("store") / "bars.h5", test=2, train=6, studio=False)


@pytest.fixture
def train(bars, tmp_path, monkeypatch):
    """Run ``loopnet train bars.h5 WORDS...`` in an empty folder: two steps of two bars of the quickest model."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, model: str = "stft", dataset: Path = bars, folder: str = "run", steps: int = 2):
        # the first of two equal options is overruled by the second
        always = ("--model", model, "-o", folder, "--steps", steps, "--batch", 2, "--threads", 1)
        found = CliRunner().invoke(app, ["train", *map(str, (dataset, *always, *words))])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return run


def recipe(folder: str = "run") -> dict:
    return json.loads(Path(folder, "recipe.json").read_text())


def refused(result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("loopnet: error: ")]
    for part in parts:
        assert part in line, line
    assert "Traceback" not in result.stderr


def loaded(folder: str) -> PaperModel:
    """Load it as ``generate --model`` does."""
    return load_paper(folder)


def weights(folder: str) -> dict[str, bytes]:
    """What the file holds; its header has no order of its own."""
    from safetensors.numpy import load_file

    return {name: tensor.tobytes() for name, tensor in load_file(Path(folder, "weights.safetensors")).items()}


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_a_run_of_each_model(train, model):
    done = train(model=model, steps=1)
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in Path("run").iterdir()} == {
        "weights.safetensors", "checkpoint.safetensors", "log.csv", "curve.png", "recipe.json", "audio",
    }  # fmt: skip
    assert [path.name for path in sorted(Path("run/audio/epoch_0001").iterdir())] == ["bar_0.wav", "bar_1.wav"]
    trained = loaded("run")
    assert trained.config == PaperConfig(model)
    assert f"training {model} to step 1 on 5 bars, seed 0, cpu" in done.stderr
    assert "run: complete; step 1" in done.stderr
    assert done.stdout == ""


def test_json_goes_to_stdout_and_quiet_says_nothing(train):
    done = train("--json", "--quiet", "--seed", 4)
    assert done.exit_code == 0
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told.pop("seconds") > 0
    # five bars teach: two steps of two bars are an epoch
    assert told.pop("development_loss") == pytest.approx(float(last_row()["development_loss"]), rel=1e-5)
    assert told == {
        "folder": "run", "model": "stft", "complete": True, "step": 2, "epoch": 1, "best_epoch": 1, "seed": 4,
    }  # fmt: skip


def last_row() -> dict[str, str]:
    with Path("run/log.csv").open(newline="") as file:
        return list(csv.DictReader(file))[-1]


def test_steps_batch_and_rate(train):
    assert train("--steps", 3, "--batch", 5, "--rate", 0.004).exit_code == 0
    assert (recipe()["steps"], recipe()["batch"], recipe()["rate"]) == (3, 5, 0.004)
    # five bars a step: an epoch each
    assert (last_row()["step"], last_row()["epoch"]) == ("3", "3")


def test_the_seed_is_all_there_is_of_chance(train):
    for folder, seed in (("one", 1), ("again", 1), ("other", 2)):
        assert train("--seed", seed, folder=folder).exit_code == 0
    assert weights("one") == weights("again") != weights("other")


def test_the_variant_of_the_published_code(train):
    assert train("--variant", "code").exit_code == 0
    assert loaded("run").config.filters == (32, 32, 64, 64, 128, 128, 256, 256, 512, 512)


def test_without_noise_it_is_the_network_of_the_paper(train):
    assert train("--no-noise").exit_code == 0
    trained = loaded("run")
    assert "noise" not in trained.config.inputs
    first, again = (
        trained.bars(
            np.zeros((1, PAPER_SAMPLES, 3), np.float32), np.zeros((1, PAPER_SAMPLES), np.float32),
            np.zeros((1, 12), np.float32), np.full((1, 21), 40, np.float32), seed=1,
        )
        for _ in range(2)
    )  # fmt: skip
    assert np.array_equal(first, again)
    assert train("--noise", folder="with").exit_code == 0
    assert loaded("with").config.inputs[0] == "noise"


def test_precision(train):
    for precision in ("fp32", "bf16"):
        done = train("--precision", precision, folder=precision, steps=1)
        assert done.exit_code == 0, done.stderr
        assert recipe(precision)["precision"] == precision
        assert f"cpu, {precision};" in done.stderr
    assert weights("fp32") != weights("bf16")


def test_threads(train, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    assert train("--threads", 3).exit_code == 0
    assert asked == [3]


def test_device(train):
    assert train("--device", "cpu").exit_code == 0
    assert recipe()["device"] == "cpu"


def test_cuda_that_is_not_there(train, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(train("--device", "cuda"), 2, "torch finds no CUDA device here: use --device cpu")
    assert not Path("run").exists()
    assert train("--device", "auto").exit_code == 0
    assert recipe()["device"] == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")
def test_cuda(train):
    assert train("--device", "cuda").exit_code == 0
    assert recipe()["device"] == "cuda"
    # what a GPU began goes on without one
    done = train("--device", "cpu", "--precision", "fp32", "--resume", steps=4)
    assert done.exit_code == 0, done.stderr


def test_patience(train, monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    monkeypatch.setattr(paper.Run, "development_loss", lambda self: next(losses))
    done = train("--patience", 2, "--json", steps=12)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["epoch"], told["best_epoch"], told["step"], told["complete"]) == (4, 2, 8, True)


def test_minutes_stop_it_and_resume_goes_on_as_it_would_have(train):
    assert train(steps=5, folder="whole").exit_code == 0
    stopped = train("--minutes", 0, "--json", steps=5)
    assert stopped.exit_code == 0
    told = json.loads(stopped.stdout)
    assert (told["complete"], told["step"], told["best_epoch"], told["development_loss"]) == (False, 1, 0, None)
    assert "stopped: go on with --resume" in stopped.stderr
    done = train("--resume", "--json", steps=5)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["complete"]
    assert "from step 1 to step 5" in done.stderr
    assert weights("run") == weights("whole")


def test_a_run_that_is_complete_stays_as_it_is(train):
    assert train().exit_code == 0
    before = weights("run"), last_row()
    done = train("--resume")
    assert done.exit_code == 0
    assert "run: complete; step 2" in done.stderr
    assert (weights("run"), last_row()) == before


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="the package tensorboard is not installed")
def test_tensorboard(train):
    assert train("--tensorboard").exit_code == 0
    (events,) = Path("run/tensorboard").iterdir()
    content = events.read_bytes()
    for name in (b"loss/training", b"loss/development", b"rate"):
        assert name in content
    assert train(folder="without").exit_code == 0
    assert not Path("without/tensorboard").exists()


def test_tensorboard_that_is_not_installed(train, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "tensorboard" else real(name))
    refused(train("--tensorboard"), 2, "pip install tensorboard")
    assert not Path("run").exists()


def test_a_run_that_is_there_is_not_begun_again(train):
    assert train().exit_code == 0
    before = weights("run")
    refused(train(), 2, "run holds a run already: add --resume to go on, or name another folder")
    assert weights("run") == before


def test_nothing_to_resume(train):
    refused(train("--resume"), 2, "run holds no run to resume")
    assert not Path("run").exists()


def test_folders_that_hold_something_else(train):
    Path("run").mkdir()
    Path("run/thesis.txt").write_text("mine")
    refused(train(), 2, "run is not empty and holds no run")
    assert [path.name for path in Path("run").iterdir()] == ["thesis.txt"]
    refused(train(folder="run/thesis.txt"), 2, "is a file: -o names a folder")


def test_another_recipe_does_not_go_on(train):
    assert train(steps=4).exit_code == 0
    refused(train("--resume", "--seed", 9, steps=4), 1, "was begun with seed 0, not 9")
    refused(train("--resume", model="wav", steps=4), 1, "was begun with model", "stft", "wav")


def test_data_sets_that_are_none(real_probe, train, tmp_path):
    refused(train(dataset=tmp_path / "none.h5"), 1, "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    refused(train(dataset=tmp_path / "text.h5"), 1, "text.h5")
    few = write_store(tmp_path / "few.h5", test=1, train=3, studio=False)
    refused(train(dataset=few), 1, "few.h5: 3 training bars are too few: at least 4 are needed")
    assert not Path("run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--model", "loud"), ("--variant", "paper"), ("--precision", "fp16"), ("--device", "tpu"), ("--steps", 0),
        ("--batch", 0), ("--rate", 0), ("--rate", "nan"), ("--seed", -1), ("--patience", -1), ("--minutes", -1),
        ("--minutes", "nan"), ("--threads", -1),
    ],
    ids=str,
)  # fmt: skip
def test_values_out_of_range(train, words):
    refused(train(*words), 2, words[0])
    assert not Path("run").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_saves(bars, tmp_path, number):
    script = "from loopnet_cli.cli.app import main; main()"
    words = ["train", bars, "--model", "stft", "-o", "run", "--steps", 100_000, "--batch", 2, "--threads", 1]
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words), "--patience", "0"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True,
        # a shell has what it runs in the background ignore Ctrl-C, tests too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        end = time.monotonic() + WAIT
        while not (tmp_path / "run" / "log.csv").exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end, "waited for in vain"
            time.sleep(0.05)
        process.send_signal(number)
        _, told = process.communicate(timeout=WAIT)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, told
    assert "Traceback" not in told
    from safetensors import safe_open

    with safe_open(tmp_path / "run" / "checkpoint.safetensors", "np") as file:
        about = file.metadata()
    assert json.loads(about["progress"])["step"] >= 2
    # all that is needed to render and to go on: sizes, names and ranges of the inputs
    kept = json.loads(about["recipe"])
    assert (kept["model"], kept["layers"], kept["inputs"]) == ("stft", "10", list(PaperConfig("stft").inputs))
    assert set(kept["timbre"]["low"]) == set(kept["timbre"]["high"]) == set(PaperConfig("stft").inputs[-21:])
