from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("h5py")

from loopnet_cli.controls import TIMBRE_NAMES  # noqa: E402
from loopnet_cli.data.store import BarStore  # noqa: E402
from loopnet_cli.errors import UsageError, WeightsError  # noqa: E402
from loopnet_cli.synthesis.paper import PaperModel  # noqa: E402
from loopnet_cli.synthesis.paperinputs import audio_rate  # noqa: E402
from loopnet_cli.synthesis.papernet import PAPER_SAMPLES, PaperConfig  # noqa: E402
from loopnet_cli.training import paper, paper_checkpoint  # noqa: E402
from loopnet_cli.training.paper_batches import divide, measured_range, unit_timbre  # noqa: E402
from loopnet_cli.training.paper_log import read_log  # noqa: E402

torch.set_num_threads(1)

SMALL = PaperConfig("multi-noenv", layers=3, first_filters=4)
RECIPE = paper.Recipe(steps=8, batch=2, seed=3, threads=1)


def run(store: Path, folder: Path, recipe: paper.Recipe = RECIPE, config: PaperConfig = SMALL) -> paper.Run:
    return paper.Run(BarStore(store), folder, config, recipe)


def weights_of(run: paper.Run) -> np.ndarray:
    return torch.cat([p.detach().flatten() for p in run.net.parameters()]).numpy()


def test_a_run_leaves_weights_that_render(tiny_store: Path, tmp_path: Path) -> None:
    trained = run(tiny_store, tmp_path / "run")
    assert trained.train()
    model = PaperModel.load(tmp_path / "run" / "weights.safetensors")
    assert model.config == SMALL
    assert set(model.timbre.low) == set(TIMBRE_NAMES)
    with BarStore(tiny_store) as store:
        bars = store.read(store.indices("test"))
    made = model.bars(audio_rate(bars.activations), None, bars.chroma, bars.timbre, seed=1)
    assert made.shape == (2, PAPER_SAMPLES)
    assert np.isfinite(made).all()


def test_what_a_run_leaves_to_look_at(tiny_store: Path, tmp_path: Path) -> None:
    trained = run(tiny_store, tmp_path)
    trained.train()
    rows = read_log(tmp_path / "log.csv")
    # nine bars teach, one chooses the epoch: four steps of two bars an epoch
    assert [(row["step"], row["epoch"]) for row in rows] == [(4, 1), (8, 2)]
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "audio" / "epoch_0002").glob("*.wav"))) == 2
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    assert recipe["seed"] == 3
    assert recipe["inputs"] == list(SMALL.inputs)
    assert "12 bars" in recipe["dataset"]


def test_a_run_that_was_stopped_goes_on_as_it_would_have(tiny_store: Path, tmp_path: Path) -> None:
    whole = run(tiny_store, tmp_path / "whole")
    whole.train()
    first = run(tiny_store, tmp_path / "parts")
    while first.progress.step < 5:
        assert not first.train(seconds=0)  # a step, then time is up
    second = run(tiny_store, tmp_path / "parts")
    assert second.progress.step == 5
    assert second.train()
    assert np.array_equal(weights_of(whole), weights_of(second))
    development = [[row["development_loss"] for row in read_log(tmp_path / n / "log.csv")] for n in ("whole", "parts")]
    assert development[0] == development[1]


def test_a_kill_loses_nothing_before_the_checkpoint(tiny_store: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from loopnet_cli.data.store import BarStore;"
        "from loopnet_cli.training import paper; from loopnet_cli.synthesis.papernet import PaperConfig;"
        "paper.CHECKPOINT_SECONDS = 0;"
        "r = paper.Run(BarStore(sys.argv[1]), Path(sys.argv[2]), PaperConfig('multi-noenv', layers=3, first_filters=4),"
        " paper.Recipe(steps=100000, batch=2, seed=3, threads=1)); r.train()"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tiny_store), str(tmp_path / "run")])
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    deadline = time.monotonic() + 120
    try:
        while not checkpoint.exists() or not (tmp_path / "run" / "log.csv").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    again = run(tiny_store, tmp_path / "run", replace(RECIPE, steps=100000))
    assert again.progress.step >= 3
    before = again.progress.step
    again.train(seconds=0)
    assert again.progress.step == before + 1


def test_patience_ends_a_run(tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = run(tiny_store, tmp_path, replace(RECIPE, steps=400, patience=2))
    losses = iter([1.0, 0.5, 0.6, 0.7, 0.1])
    monkeypatch.setattr(trained, "development_loss", lambda: next(losses))
    assert trained.train()
    assert (trained.progress.epoch, trained.progress.best_epoch) == (4, 2)


def test_the_best_epoch_is_kept(tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = run(tiny_store, tmp_path)
    losses = iter([0.5, 0.6])
    monkeypatch.setattr(trained, "development_loss", lambda: next(losses))
    trained.train()
    from safetensors import safe_open

    with safe_open(tmp_path / "weights.safetensors", "np") as file:
        assert file.metadata()["epoch"] == "1"


def test_another_recipe_does_not_go_on(tiny_store: Path, tmp_path: Path) -> None:
    run(tiny_store, tmp_path).train(seconds=0)
    with pytest.raises(WeightsError, match="begun with seed 3, not 4"):
        run(tiny_store, tmp_path, replace(RECIPE, seed=4))
    with pytest.raises(WeightsError, match="begun with model"):
        run(tiny_store, tmp_path, config=replace(SMALL, model="wav"))


@pytest.mark.parametrize("content", [b"", b"no weights", b"\xff" * 64])
def test_a_damaged_checkpoint_is_said(tiny_store: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read"):
        run(tiny_store, tmp_path)


def test_a_checkpoint_is_never_half_written(tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = run(tiny_store, tmp_path)
    trained.train(seconds=0)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(Exception, match="o space left"):
        trained.save()
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert not list(tmp_path.glob(".*.part"))


def test_bars_that_choose_the_epoch_are_of_other_loops(tiny_store: Path) -> None:
    with BarStore(tiny_store) as store:
        parts = divide(store, seed=1)
        loops = [set(store.loop_of(rows).tolist()) for rows in (parts.training, parts.development, parts.test)]
        assert sum(map(len, loops)) == len(set().union(*loops)) == len(store)
        ranges = measured_range(store, parts.training)
        units = unit_timbre(store.read(parts.training).timbre, ranges)
    assert units.min() < 0 < 1 < units.max()
    # 5 and 95 in 100 lie at 0 and 1
    assert np.percentile(units, 5, axis=0) == pytest.approx(np.zeros(21), abs=0.02)


def test_a_feature_that_never_varies_has_a_range(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BarStore(tiny_store) as store:
        monkeypatch.setattr(store, "features", lambda name, rows: np.full((len(rows), 21), 30.0, np.float32))
        ranges = measured_range(store, store.indices("train"))
        assert all(ranges.low[name] < 30 < ranges.high[name] for name in TIMBRE_NAMES)


def test_rate_rises_then_falls() -> None:
    recipe = replace(RECIPE, steps=1000)
    rates = [paper.rate_at(step, recipe) for step in range(1001)]
    assert rates[0] < rates[20] < rates[60]
    assert max(rates) <= recipe.rate
    assert rates[-1] == pytest.approx(0.05 * recipe.rate)


def test_a_loss_that_explodes_is_said(tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = run(tiny_store, tmp_path)
    monkeypatch.setattr(trained, "_loss", lambda *_: torch.tensor(math.nan, requires_grad=True))
    with pytest.raises(WeightsError, match="lower --rate"):
        trained.train()


def test_stft_magnitudes_are_packaged_in_plain_units(tiny_store: Path, tmp_path: Path) -> None:
    config = PaperConfig("stft", layers=2, first_filters=4)
    trained = run(tiny_store, tmp_path, replace(RECIPE, steps=1), config)
    paper_checkpoint.write_weights(tmp_path / "w.safetensors", trained.net, trained.ranges, {})
    from safetensors.numpy import load_file

    stored = load_file(tmp_path / "w.safetensors")["output.weight"].astype(np.float32)
    own = trained.net.output.weight.detach().squeeze(2).numpy()
    # the energy of a Hann window of 1024 is 384
    assert stored == pytest.approx(own * math.sqrt(384), rel=1e-2, abs=1e-3)


def test_devices_and_precisions_are_checked() -> None:
    with pytest.raises(UsageError, match="use cpu or cuda"):
        paper.check(replace(RECIPE, device="tpu"))
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="--device cpu"):
            paper.check(replace(RECIPE, device="cuda"))


def test_mixed_precision_trains(tiny_store: Path, tmp_path: Path) -> None:
    trained = run(tiny_store, tmp_path, replace(RECIPE, steps=2, precision="bf16"))
    assert trained.train()
    assert np.isfinite(weights_of(trained)).all()


def test_packaging_releases_what_was_trained(tiny_store: Path, tmp_path: Path) -> None:
    from loopnet_cli.training.package_paper import package

    run(tiny_store, tmp_path / "runs" / "multi-noenv").train()
    weights = tmp_path / "weights"
    assert package(tmp_path / "runs", weights) == ["multi-noenv"]
    assert list(json.loads((weights / "manifest.json").read_text())) == ["paper-multi-noenv.safetensors"]
    recipe = json.loads((weights / "training" / "paper.json").read_text())["multi-noenv"]
    assert (recipe["steps"], recipe["seed"]) == (8, 3)
    assert read_log(weights / "training" / "paper-multi-noenv.csv")[-1]["step"] == 8
    with pytest.raises(WeightsError, match="holds no trained model"):
        package(tmp_path / "nothing", weights)
