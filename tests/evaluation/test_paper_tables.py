"""The paper's tables from figures that are known."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data.store import BarStore
from loopnet_cli.errors import DatasetError, UsageError, WeightsError
from loopnet_cli.evaluation import paper_run
from loopnet_cli.evaluation.embeddings import Embedding, log_mel
from loopnet_cli.evaluation.paper_coherence import coherence_section
from loopnet_cli.evaluation.paper_distances import distance_section
from loopnet_cli.evaluation.paper_pictures import draw
from loopnet_cli.evaluation.paper_published import PUBLISHED_COHERENCE, PUBLISHED_DISTANCE, ordered, speed_section
from loopnet_cli.evaluation.paper_run import Plan, available, choose, command, labelled, one_a_loop, run
from loopnet_cli.evaluation.paper_tasks import SETTINGS, Setup
from loopnet_cli.evaluation.report import Cell, Section, read_store, tables_as_text

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "synthesis"))
from tiny import write_material
from tiny_paper import write_tiny
from tiny_store import write_store

EMBEDDING = Embedding("vggish", "VGGish FAD, 16 kHz", 16000, 4, None, lambda audio: audio[:, None])


def row(section: Section, name: str, table: int = 0) -> list:
    return next(cells for cells in section.tables[table].rows if cells[0] == name)


@pytest.fixture(scope="module")
def distances() -> Section:
    rng = np.random.default_rng(0)
    originals = rng.standard_normal((60, 2, 4)).astype(np.float32)
    found = {"originals": originals, "originals-16k": originals, "training": rng.standard_normal((60, 2, 4))}
    for name, shift in (("wav", 1.0), ("wavspec", 2.0), ("multi", 0.5)):
        found[name] = originals + shift
    both = {name: {"vggish": values, "logmel": values[..., :3]} for name, values in found.items()}
    known = {"vggish": EMBEDDING, "logmel": replace(log_mel(), dimension=3)}
    return distance_section(both, known, np.arange(60) // 2, seed=0, missing=["No sampler: none."])


class TestDistances:
    def test_a_shift_counts_squared_in_each_dimension(self, distances):
        for name, shift in (("WAV", 1.0), ("WAVSPEC", 2.0), ("MULTI", 0.5), ("originals at 16 kHz", 0.0)):
            cells = row(distances, name)
            assert cells[2].value == pytest.approx(4 * shift**2, abs=1e-3)
            assert cells[3].value == pytest.approx(3 * shift**2, abs=1e-3)

    def test_every_figure_has_n_and_an_interval(self, distances):
        rows = distances.tables[0].rows
        assert [cells[1] for cells in rows] == ["30", "60", "60", "60", "60", "60"]
        assert all(
            isinstance(cell, Cell) and cell.low <= cell.value <= cell.high for cells in rows for cell in cells[2:4]
        )

    def test_the_floor_is_more_than_nothing_and_the_training_set_is_near(self, distances):
        floor, training = (
            row(distances, name)[2] for name in ("two halves of the originals (floor)", "training set itself")
        )
        assert 0.05 < floor.value < 0.6
        assert 0.02 < training.value < 0.4

    def test_the_paper_s_own_figures_stand_apart(self, distances):
        assert "the paper's data" in distances.tables[0].columns[-1]
        assert row(distances, "WAV")[-1] == "13.83"
        assert row(distances, "training set itself")[-1] == "–"
        assert PUBLISHED_DISTANCE["multi-noenv"] == 3.35

    def test_dimensions_are_told(self, distances):
        text = tables_as_text(distances)
        assert "| VGGish FAD, 16 kHz | 2 | 4 | all |" in text

    def test_the_order_is_compared_with_the_paper_s(self, distances):
        first, second = distances.tables[2].rows
        assert first[0] == "MULTI before WAVSPEC"
        assert first[1] == "3.73 < 9.06"
        assert first[2].startswith("yes: 1.00, 16.00")
        assert second[0] == "WAVSPEC before WAV"
        assert second[2].startswith("**no**: 16.00, 4.00")

    def test_what_is_missing_is_said(self, distances):
        assert distances.method.endswith("No sampler: none.")

    def test_few_bars_are_projected(self):
        rng = np.random.default_rng(0)
        values = {"vggish": rng.standard_normal((20, 2, 30)).astype(np.float32)}
        section = distance_section(
            {"originals": values}, {"vggish": replace(EMBEDDING, dimension=30)}, np.arange(20), seed=0
        )
        assert section.tables[1].rows[0][2] == "10, principal axes of the originals (of 30)"
        assert len(section.tables) == 2

    def test_a_picture(self, distances):
        assert draw("1", distances)[:8] == b"\x89PNG\r\n\x1a\n"
        assert draw("speed", distances) is None


def loop(number: int, respond, *, full: bool = False) -> dict[str, np.ndarray]:
    """Turn one attribute in each band, in rotation, or all; `respond(feature, value)` gives all 21."""
    rotating = [7 * band + (number + 2 * band) % 7 for band in range(3)]
    features = sorted(range(21) if full else rotating)
    measured = np.array([[respond(feature, value) for value in SETTINGS] for feature in features], float)
    for place, feature in enumerate(features):
        if feature not in rotating:
            measured[place, :, [f for f in range(21) if f // 7 != feature // 7]] = np.nan
    return {"features": np.array(features), "everywhere": np.isin(features, rotating), "measured": measured}


def obedient(feature: int, value: float) -> np.ndarray:
    vector = np.full(21, 0.5)
    vector[feature] = value
    return vector


def low_alone(feature: int, value: float) -> np.ndarray:
    """Only the low band obeys, and takes the same attribute of the mid band with it, the other way."""
    vector = obedient(feature, value if feature < 7 else 0.5)
    if feature < 7:
        vector[7 + feature] = 1 - value
    return vector


@pytest.fixture(scope="module")
def section() -> Section:
    turned = {
        "multi": [loop(n, obedient, full=n < 3) for n in range(21)],
        "wav": [loop(n, low_alone, full=n < 3) for n in range(21)],
    }
    return coherence_section(turned, full=3, seed=0)


class TestCoherence:
    def shares(self, section: Section, name: str, band: str) -> list[float]:
        cells = next(cells for cells in section.tables[0].rows if cells[:2] == [name, band])
        return [cell.value for cell in cells[3:]]

    def test_obedience_is_all_and_deafness_nothing(self, section):
        for band in ("low", "mid", "high", "all"):
            assert self.shares(section, "MULTI", band) == pytest.approx([100, 100, 100, 1.0])
        assert self.shares(section, "WAV", "low") == pytest.approx([100, 100, 100, 1.0])
        assert self.shares(section, "WAV", "mid")[:3] == [0, 0, 0]
        assert self.shares(section, "WAV", "all")[:3] == pytest.approx([100 / 3] * 3)

    def test_the_paper_s_way_counts_all_features_of_few_loops(self, section):
        cells = row(section, "WAV", 1)
        assert cells[1] == "3"
        assert [cell.value for cell in cells[2:5]] == pytest.approx([100 / 3] * 3)
        assert cells[5:] == ["67.44", "62.86", "52.14"]

    def test_leakage_goes_where_it_goes(self, section):
        cells = next(cells for cells in section.tables[2].rows if cells[:2] == ["WAV", "low"])
        assert [cell.value for cell in cells[2:]] == pytest.approx([0.6, 0.0, 0.3, 0.0])

    def test_silence_fails(self):
        silent = [loop(n, lambda f, v: np.full(21, np.nan)) for n in range(7)]
        section = coherence_section({"wav": silent}, full=0, seed=0)
        assert self.shares(section, "WAV", "all")[:3] == [0, 0, 0]
        assert "not measured" in tables_as_text(section)
        assert row(section, "WAV", 1)[1:] == ["0", "–", "–", "–", "67.44", "62.86", "52.14"]

    def test_a_picture(self, section):
        assert draw("2", section)[:4] == b"\x89PNG"

    def test_published_figures(self):
        assert set(PUBLISHED_COHERENCE) == {"stft", "wav", "wavspec", "multi", "multi-noenv"}


def test_rows_have_an_order():
    names = ["training", "sampler", "mine", "multi", "halves", "studio", "stft"]
    assert ordered(names) == ["halves", "stft", "multi", "mine", "studio", "sampler", "training"]


def test_speed_is_the_median_of_what_counts():
    seconds = {"multi": [(9.0, 9.0), (0.3, 0.3), (0.5, 0.1), (0.6, 0.2), (0.7, 0.3)]}
    section = speed_section(seconds, 2, 2.0, "Threads: 1.", seed=0)
    cells = row(section, "MULTI")
    assert cells[1] == "3"
    assert [cell.value for cell in cells[2:5]] == pytest.approx([0.6, 0.2, 0.1])
    assert cells[5:] == ["9.00", "about 0.5"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_store(folder / "bars.h5", test=9, train=9)
    write_material(folder / "material")
    write_tiny(folder / "tiny.safetensors")
    return folder


class TestRun:
    def plan(self, place: Path, out: Path, **more) -> Plan:
        setup = Setup(place / "bars.h5", 0, place / "material", None, None, out / "state")
        return Plan(setup, (str(place / "tiny.safetensors"),), bars=9, loops=2, full=1, workers=0, out=out, **more)

    @pytest.mark.slow
    def test_all_of_it(self, place, tmp_path):
        told = []
        sections = run(self.plan(place, tmp_path), lambda *step: told.append(step))
        assert list(sections) == ["paper-table-1", "paper-table-2", "paper-speed"]
        names = [cells[0] for cells in sections["paper-table-1"].tables[0].rows]
        assert names == [
            "two halves of the originals (floor)", "originals at 16 kHz", "Griffin-Lim of the originals", "MULTI",
            "sampler, another held-out kit", "training set itself",
        ]  # fmt: skip
        page = (tmp_path / "RESULTS.md").read_text()
        assert "Steps of training, up to the epoch that was kept: MULTI 0;" in page
        assert "img/paper_table_1.png" in page
        assert "img/paper_table_2.png" in page
        assert str(place) not in page
        assert str(place) not in (tmp_path / "results.json").read_text()
        assert set(read_store(tmp_path)) == set(sections)
        assert told[-1][0].startswith("speed")

        # again: everything is there
        told.clear()
        plan = self.plan(place, tmp_path, tables=("1", "2"))
        again = run(plan, lambda *step: told.append(step))
        assert [step[1:] for step in told] == [(6, 6), (2, 2)]
        assert tables_as_text(again["paper-table-1"]) == tables_as_text(sections["paper-table-1"])

    def test_too_few_bars(self, tmp_path, place):
        few = write_store(tmp_path / "few.h5", test=3, train=0)
        plan = self.plan(place, tmp_path)
        with pytest.raises(DatasetError, match="3 test bars are too few"):
            run(replace(plan, setup=replace(plan.setup, dataset=few)), lambda *step: None)

    def test_an_unknown_table(self, place, tmp_path):
        with pytest.raises(UsageError, match="no table '3': use 1, 2, speed"):
            run(self.plan(place, tmp_path, tables=("3",)), lambda *step: None)

    def test_models_without_weights_are_left_out_unless_named(self, monkeypatch):
        def weights(name):
            if name != "studio":
                raise WeightsError(f"the weights of {name} do not come with this version")
            return []

        monkeypatch.setattr(paper_run.paper_tasks, "weights_of", weights)
        found, missing = available(None)
        assert found == ["studio"]
        assert len(missing) == 5
        assert "MULTI_NOENV" in missing[-1]
        with pytest.raises(WeightsError):
            available(["wav"])

    def test_weights_are_called_by_their_model_where_that_tells_them_apart(self, tmp_path):
        one, two = (
            str(write_tiny(tmp_path / f"{name}.safetensors", model)) for name, model in (("a", "wav"), ("b", "multi"))
        )
        other = str(write_tiny(tmp_path / "c.safetensors", "multi", seed=2))
        assert labelled([one, two, "studio"]) == {"wav": one, "multi": two, "studio": "studio"}
        assert labelled([two, other]) == {two: two, other: other}

    def test_bars_are_drawn_once_and_one_a_loop(self, tmp_path):
        with BarStore(write_store(tmp_path / "b.h5", test=4, train=2, bars_a_loop=3)) as store:
            rows = choose(store, "test", 12, 1)
            assert sorted(rows) == list(range(12))
            assert choose(store, "test", 5, 1).tolist() == rows[:5].tolist()
            assert choose(store, "train", 99, 1).min() == 12
            first = one_a_loop(store, rows)
            assert sorted(first // 3) == [0, 1, 2, 3]
            assert first[0] == rows[0]

    def test_the_command_names_no_place(self, place, tmp_path):
        text = command(self.plan(place, tmp_path))
        assert text == (
            "loopnet evaluate tables DATASET --bars 9 --loops 2 --seed 0 --models tiny.safetensors --material DATA"
        )


def test_names_are_in_the_order_of_the_features():
    assert TIMBRE_NAMES[7].startswith("mid.")
