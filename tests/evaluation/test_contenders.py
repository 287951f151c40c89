"""Contenders take a bar's controls and give a bar; results are kept under what they depend on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.controls import BANDS, TIMBRE_NAMES
from loopnet_cli.data.store import BarStore
from loopnet_cli.errors import LoopnetError, UsageError
from loopnet_cli.evaluation import contenders, paper_tasks
from loopnet_cli.evaluation.contenders import TestBars, make
from loopnet_cli.evaluation.distances import rms
from loopnet_cli.evaluation.paper_tasks import SETTINGS, Setup, do, embedding_tasks, features_of, knob_tasks, result_of
from loopnet_cli.synthesis.paperinputs import audio_rate

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "synthesis"))
from tiny import write_material
from tiny_paper import write_tiny
from tiny_store import write_store


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("contenders")
    write_store(folder / "bars.h5")
    write_material(folder / "material")
    write_tiny(folder / "multi.safetensors")
    return folder


@pytest.fixture(scope="module")
def bars(place) -> TestBars:
    with BarStore(place / "bars.h5") as store:
        return TestBars.read(store, [3, 0])


@pytest.fixture
def setup(place, tmp_path) -> Setup:
    return Setup(place / "bars.h5", 0, place / "material", None, None, tmp_path / "state")


class TestMake:
    def test_originals_are_given_as_they_are(self, bars):
        assert make("originals", bars, seed=0).sample_rate == 44100
        np.testing.assert_array_equal(make("originals", bars, seed=0).bars, bars.studio)
        np.testing.assert_array_equal(make("originals-16k", bars, seed=0).bars, bars.audio)
        assert bars.patterns[0].voices == ("kick", "snare", "hat_closed")
        assert bars.kits[0] == {"kit-a", "kit-b"}

    def test_griffin_lim_keeps_magnitudes_and_loses_phases(self, bars):
        made = make("griffin-lim", bars, seed=0)
        assert made.sample_rate == 16000
        assert made.bars[0].shape == (29538,)
        one, two = (
            np.abs(np.fft.rfft(side.reshape(-1, 1641), axis=1)).mean(axis=0) for side in (made.bars[0], bars.audio[0])
        )
        assert np.corrcoef(one, two)[0, 1] > 0.95
        assert rms(made.bars[0]) == pytest.approx(rms(bars.audio[0]), rel=0.15)
        assert not np.allclose(made.bars[0], bars.audio[0], atol=0.02)

    def test_a_paper_model_is_told_what_the_bar_s_controls_are(self, place, bars, monkeypatch):
        heard = {}

        class Fake:
            class config:  # noqa: N801
                has_envelope = True

            def bars(self, activations, envelope, chroma, timbre, *, seed):
                heard.update(activations=activations, envelope=envelope, chroma=chroma, timbre=timbre, seed=seed)
                return np.zeros((1, 29538), np.float32)

        monkeypatch.setattr(contenders, "paper", lambda name: Fake())
        assert make("multi", bars, seed=4).sample_rate == 16000
        assert heard["activations"].shape == (1, 29538, 3)
        np.testing.assert_array_equal(heard["activations"], audio_rate(bars.activations[1:2]))
        # the kick of the first beat, at its height
        assert heard["activations"][0, 0, 0] == pytest.approx(0.9, abs=0.01)
        np.testing.assert_array_equal(heard["envelope"][0], bars.envelope[1])
        np.testing.assert_array_equal(heard["chroma"][0], bars.chroma[1])
        np.testing.assert_array_equal(heard["timbre"][0], bars.timbre[1])
        first = heard["seed"]
        make("multi", bars, seed=5)
        assert heard["seed"] != first
        Fake.config.has_envelope = False
        make("multi-noenv", bars, seed=5)
        assert heard["envelope"] is None

    def test_the_sampler_plays_the_pattern_on_other_drums_at_the_bar_s_level(self, place, bars):
        made = make("sampler", bars, seed=0, material=place / "material")
        assert made.sample_rate == 44100
        for one, original, pattern in zip(made.bars, bars.audio, bars.patterns, strict=True):
            assert one.shape == (81415,)
            assert rms(one) == pytest.approx(rms(original), rel=1e-3)
            onset = pattern.onset_samples(44100)[0]
            assert np.abs(one[onset : onset + 400]).max() > 0.05
        with pytest.raises(UsageError, match="--material"):
            make("sampler", bars, seed=0)

    def test_the_studio_model_plays_the_pattern_at_the_bar_s_level(self, bars, monkeypatch):
        one = TestBars(**{**vars(bars), "indices": bars.indices[:1]})
        asked = {}
        model = contenders.studio()
        render = model.render

        def spy(pattern, **settings):
            asked.update(settings, pattern=pattern)
            return render(pattern, kit=settings["kit"])

        monkeypatch.setattr(model, "render", spy)
        made = make("studio", one, seed=0)
        assert rms(made.bars[0]) == pytest.approx(rms(bars.audio[0]), rel=1e-3)
        assert asked["pattern"] == bars.patterns[0]
        assert asked["timbre"].keys() == set(TIMBRE_NAMES)
        assert len(asked["chroma"]) == 12
        kit = asked["kit"]
        again = contenders.nearest_kit(model, dict(kit.timbre))
        assert again.timbre == pytest.approx(kit.timbre)

    def test_a_pattern_without_hits_is_silence(self, bars):
        from dataclasses import replace

        silent = replace(bars, patterns=[replace(bars.patterns[0], hits=()), bars.patterns[1]])
        assert not contenders.studio_bar(silent, 0, seed=0).any()

    def test_where_no_pattern_is_stored_the_bar_is_heard(self, tmp_path):
        write_store(tmp_path / "b.h5", test=1, train=0, studio=False, known=False)
        with BarStore(tmp_path / "b.h5") as store:
            found = TestBars.read(store, [0])
        assert found.studio is None
        assert [hit.beat for hit in found.patterns[0].hits if hit.voice == "kick"] == pytest.approx([0, 2.5], abs=0.05)


class TestTasks:
    def test_every_bar_is_in_one_chunk(self, setup):
        tasks = embedding_tasks(setup, "originals-16k", range(45))
        assert [len(task.rows) for task in tasks] == [20, 20, 5]
        assert [row for task in tasks for row in task.rows] == list(range(45))
        assert len({task.path for task in tasks}) == 3
        # another N begins with the same parts
        assert embedding_tasks(setup, "originals-16k", range(20))[0].path == tasks[0].path

    def test_results_lie_under_what_they_depend_on(self, setup, place, tmp_path):
        from dataclasses import replace

        weights = str(write_tiny(tmp_path / "m.safetensors", seed=1))
        paths = {embedding_tasks(setup, name, [1])[0].path for name in ("originals", "griffin-lim", weights)}
        paths.add(embedding_tasks(replace(setup, seed=1), weights, [1])[0].path)
        write_tiny(tmp_path / "m.safetensors", seed=2)
        paths.add(embedding_tasks(setup, weights, [1])[0].path)
        other = write_store(tmp_path / "other.h5", test=2, train=0)
        paths.add(embedding_tasks(replace(setup, dataset=other), weights, [1])[0].path)
        assert len(paths) == 6

    def test_a_task_that_is_done_is_not_done_again(self, setup, monkeypatch):
        (task,) = embedding_tasks(setup, "originals-16k", [0, 1])
        do(task)
        assert result_of(task)["logmel"].shape == (2, 160, 64)
        before = task.path.stat().st_mtime_ns
        monkeypatch.setattr(contenders.TestBars, "read", None)
        assert do(task) == task
        assert task.path.stat().st_mtime_ns == before
        assert list(task.path.parent.iterdir()) == [task.path]

    def test_a_failure_names_the_bars(self, setup, monkeypatch):
        (task,) = embedding_tasks(setup, "griffin-lim", [4, 5])
        monkeypatch.setattr(contenders, "resynthesised", lambda *a: 1 / 0)
        with pytest.raises(LoopnetError, match=r"Griffin-Lim of the originals: bars 4 to 5 .* ZeroDivisionError"):
            do(task)
        assert not task.path.exists()

    def test_without_44_khz_there_is_no_full_band_distance(self, setup, tmp_path):
        from dataclasses import replace

        low = replace(setup, dataset=write_store(tmp_path / "low.h5", test=2, train=0, studio=False))
        (task,) = embedding_tasks(low, "originals", [0, 1])
        assert result_of(do(task)) == {}

    def test_attributes_rotate_and_the_first_loops_have_them_all(self, setup, place):
        tasks = knob_tasks(setup, str(place / "multi.safetensors"), list(range(9)), full=2)
        assert [len(task.features) for task in tasks] == [21, 21] + [3] * 7
        turned = [[feature for feature, everywhere in task.features if everywhere] for task in tasks]
        for band in range(3):
            assert [sum(f // 7 == band for f in features) for features in turned] == [1] * 9
            assert {features[band] % 7 for features in turned[:7]} == set(range(7))

    def test_one_feature_is_replaced_and_the_model_s_scale_is_used(self, setup, place, monkeypatch):
        weights = str(place / "multi.safetensors")
        (task,) = knob_tasks(setup, weights, [2], full=0)
        asked = []

        def fake(model, bars, number, timbre, *, seed):
            asked.append((timbre.copy(), seed))
            return bars.audio[number]

        monkeypatch.setattr(contenders, "paper_bar", fake)
        found = result_of(do(task))
        assert found["measured"].shape == (3, 3, 21)
        with BarStore(setup.dataset) as store:
            own = store.read([2]).timbre[0]
        for place_, (timbre, _) in enumerate(asked):
            feature = found["features"][place_ // 3]
            changed = np.flatnonzero(timbre != own)
            assert changed.tolist() == [feature]
            # the file's range: from 10 to 60, and one more for each feature
            assert timbre[feature] == pytest.approx(10 + feature + 50 * SETTINGS[place_ % 3])
        assert len({seed for _, seed in asked}) == 1
        # all bands at the outer settings, the feature's own at the middle one
        finite = np.isfinite(found["measured"])
        assert finite[:, [0, 2]].all()
        assert finite[:, 1].sum(axis=1).tolist() == [7, 7, 7]

    def test_the_studio_model_is_asked_for_one_feature(self, setup, monkeypatch):
        (task,) = knob_tasks(setup, "studio", [1], full=0)
        model, asked = contenders.studio(), []
        render = model.render

        def spy(pattern, *, kit, timbre, seed):
            asked.append((kit.name, timbre, seed))
            return render(pattern, kit=kit, seed=seed)

        monkeypatch.setattr(model, "render", spy)
        found = result_of(do(task))
        assert len({(kit, seed) for kit, _, seed in asked}) == 1
        assert [knob.value for _, timbre, _ in asked for knob in timbre.values()] == [*SETTINGS] * 3
        assert [list(timbre) for _, timbre, _ in asked[::3]] == [[TIMBRE_NAMES[f]] for f in found["features"]]

    def test_silence_has_no_features(self):
        normalisation = contenders.studio().normalisation
        assert np.isnan(features_of(np.zeros(29538, np.float32), 16000, normalisation)).all()
        one = features_of(
            np.random.default_rng(0).standard_normal(29538).astype(np.float32), 16000, normalisation, BANDS[:1]
        )
        assert np.isfinite(one[:7]).all()
        assert np.isnan(one[7:]).all()

    def test_unknown_contenders(self):
        with pytest.raises(UsageError, match="unknown model 'mutli'"):
            paper_tasks.weights_of("mutli")
