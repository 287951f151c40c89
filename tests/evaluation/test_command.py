"""The whole command on a tiny model and tiny material."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.evaluation.bench import Bench, stems_of, user_request
from loopnet_cli.evaluation.command import main
from loopnet_cli.evaluation.jobs import fingerprint, measure_all
from loopnet_cli.evaluation.pictures import draw_sweep

sys.path.insert(0, str(Path(__file__).parent))
from tiny import write_material, write_weights


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    return write_material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_weights(tmp_path_factory.mktemp("model") / "weights")


def test_sections_are_measured_and_written(material, weights, tmp_path, capsys):
    arguments = [str(material), "--weights", str(weights), "--out", str(tmp_path / "docs")]
    arguments += ["--state", str(tmp_path / "state"), "--loops", "2", "--workers", "0", "--seed", "5"]
    sections = "timing,reconstruction,crispness,seam,level,chroma"
    assert main([*arguments, "--only", sections]) == 0
    store = json.loads((tmp_path / "docs" / "results.json").read_text())
    assert list(store) == sections.split(",")
    assert all(entry["run"]["seed"] == 5 and entry["run"]["loops"] == 2 for entry in store.values())
    assert "seed 5" in capsys.readouterr().err
    exact = next(check for check in store["seam"]["checks"] if "exact length" in check["requirement"])
    assert exact["met"]
    # the model was never trained: the judge must not find it good
    assert not any(check["met"] for check in store["reconstruction"]["checks"])
    ceiling = next(row for row in store["reconstruction"]["tables"][0]["rows"] if "ceiling" in row[0])
    model = store["reconstruction"]["tables"][0]["rows"][0]
    assert ceiling[2]["value"] < 0.5 * model[2]["value"]


def test_pictures_are_drawn_and_put_on_the_page(material, weights, tmp_path):
    arguments = [str(material), "--weights", str(weights), "--out", str(tmp_path), "--only", "pictures"]
    assert main(arguments) == 0
    drawn = sorted(path.name for path in (tmp_path / "img").glob("*.png"))
    assert drawn == ["original_1.png", "original_2.png", "original_3.png"]  # no sweep without its figures
    assert all((tmp_path / "img" / name).read_bytes().startswith(b"\x89PNG") for name in drawn)
    assert "(img/original_3.png)" in (tmp_path / "RESULTS.md").read_text()
    sweep = {name: {"settings": [0.2, 0.5, 0.8], "quartiles": [[0.1, 0.2, 0.3]] * 3} for name in TIMBRE_NAMES}
    assert draw_sweep(sweep).startswith(b"\x89PNG")


def test_rows_are_kept_and_not_measured_again(material, weights, tmp_path, monkeypatch):
    from loopnet_cli.evaluation import level

    def rows(count: int) -> list[dict]:
        return measure_all("level", count, data=material, weights=weights, seed=1, workers=0, state=tmp_path)

    first = rows(2)
    monkeypatch.setattr(level, "measure", lambda bench, number: {"fresh": number})
    assert rows(2) == first
    assert rows(3) == [*first, {"fresh": 2}]
    with next(tmp_path.glob("*.jsonl")).open("a") as file:
        file.write('{"number": 9, "ro')  # cut by an interruption
    assert rows(3)[:2] == first


def test_a_loop_that_cannot_be_measured_stops_the_run(material, weights, tmp_path, monkeypatch, capsys):
    from loopnet_cli.evaluation import level

    monkeypatch.setattr(level, "measure", lambda bench, number: 1 / (number - 1))
    arguments = [str(material), "--weights", str(weights), "--out", str(tmp_path), "--state", str(tmp_path / "state")]
    assert main([*arguments, "--loops", "3", "--workers", "0", "--only", "level"]) == 1
    assert "level: loop 1 cannot be measured: ZeroDivisionError" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def test_kept_rows_belong_to_weights_seed_and_embedding(material, weights, tmp_path):
    other = tmp_path / "weights"
    other.mkdir()
    (other / "manifest.json").write_text("{}")
    prints = [fingerprint(material, weights, 1), fingerprint(material, weights, 2), fingerprint(material, other, 1)]
    prints += [
        fingerprint(material, weights, 1, embedding) for embedding in (other / "manifest.json", weights / "kits.json")
    ]
    assert len(set(prints)) == 5


def test_hearing_is_measured_and_where_files_lie_is_not_told(material, weights, tmp_path):
    arguments = [str(material), "--weights", str(weights), "--out", str(tmp_path / "docs"), "--only", "hearing"]
    assert main([*arguments, "--state", str(tmp_path / "state"), "--loops", "2", "--workers", "0"]) == 0
    page = (tmp_path / "docs" / "RESULTS.md").read_text()
    assert "| hearing: F at 50 ms, kick, at least 0.95 |" in page
    assert "evaluation DATA --weights WEIGHTS --out OUT" in page
    assert str(tmp_path) not in page


def test_what_is_missing_is_named_in_one_line(material, weights, tmp_path, capsys):
    arguments = [str(material), "--weights", str(weights), "--out", str(tmp_path), "--state", str(tmp_path / "state")]
    assert main([*arguments, "--workers", "0", "--only", "beatbox"]) == 1
    assert "the material lacks it" in capsys.readouterr().err
    absent = ["--embedding-weights", str(tmp_path / "absent.tflite")]
    assert main([*arguments, "--workers", "0", "--only", "transfer", *absent]) == 1
    assert "absent.tflite: cannot be read" in capsys.readouterr().err


@pytest.mark.slow
def test_processes_give_the_same_rows(material, weights, tmp_path):
    def rows(workers: int) -> list[dict]:
        state = tmp_path / str(workers)
        return measure_all("level", 3, data=material, weights=weights, seed=1, workers=workers, state=state)

    assert rows(2) == rows(0)


def test_an_unknown_section_is_a_wrong_use(material, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([str(material), "--only", "tming"])
    assert stopped.value.code == 2
    assert "tming" in capsys.readouterr().err


@pytest.fixture(scope="module")
def bench(material, weights) -> Bench:
    return Bench(material, weights, 3)


def test_a_case_is_the_same_each_time_and_its_tonal_twin_plays_the_same_hits(bench):
    one, two, tonal = bench.case(4), bench.case(4), bench.case(4, tonal=True)
    assert np.array_equal(one.bar.audio, two.bar.audio)
    assert not one.bar.tonal.any()
    assert tonal.bar.tonal.any()
    assert tonal.bar.pattern == one.bar.pattern
    assert tonal.bar.drums.keys() == one.bar.drums.keys()
    assert all(tonal.bar.drums[v].treatment == one.bar.drums[v].treatment for v in one.bar.drums)


def test_the_sampler_plays_no_drum_of_the_original(bench):
    of_one_kit = 0
    for number in range(6):
        case = bench.case(number)
        used = {drum.instrument.kit for drum in case.bar.drums.values()}
        other = bench.other_drums(case)
        assert other.keys() == case.bar.drums.keys()
        if len(used) == 1:
            of_one_kit += 1
            assert not used & {drum.instrument.kit for drum in other.values()}
    assert of_one_kit


def test_the_model_is_given_the_levels_and_all_features_of_the_original(bench):
    case = bench.case(1)
    assert len(case.timbre) == 21
    assert not any(knob.relative for knob in case.timbre.values())
    for voice, drum in case.bar.drums.items():
        assert case.kit.levels[voice] == pytest.approx(drum.level, abs=1e-3)


def test_requests_vary_and_kits_alternate(bench):
    requests = [user_request(bench, number) for number in range(12)]
    assert {request.kit.name == "held-out" for request in requests[1::2]} == {True}
    assert {request.kit.name == "held-out" for request in requests[::2]} == {False}
    assert len({len(request.timbre) for request in requests}) > 2
    assert {request.chroma is None for request in requests} == {True, False}


def test_stems_sum_their_voices():
    voices = {"snare": np.ones(4, np.float32), "clap": np.full(4, 2.0, np.float32)}
    stems = stems_of(voices)
    assert stems["snare"].tolist() == [3.0] * 4
    assert stems["kick"].tolist() == [0.0] * 4
