"""The figures of the section Transfer on results whose merits are known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.analysis.transcription import HeardHit, Transcription
from loopnet_cli.evaluation import transfer, transfer_tables
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.matching import hits_of_pattern, score
from loopnet_cli.pattern import Hit, Pattern

sys.path.insert(0, str(Path(__file__).parent))
from signals import RATE
from tiny import write_material, write_weights


class Oracle:
    """Knows which hits each length of audio holds."""

    def __init__(self) -> None:
        self.known: dict[int, Pattern] = {}

    def transcribe(self, audio, sample_rate, *, circular=False):
        pattern = self.known[len(audio)]
        onsets = pattern.onset_samples(RATE)
        hits = tuple(HeardHit(at / RATE, h.voice, h.velocity) for at, h in zip(onsets, pattern.hits, strict=True))
        nothing = (np.zeros((1, columns), np.float32) for columns in (3, 10))
        return Transcription(hits, *nothing, len(audio) / sample_rate)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Intervals are not what is tested here."""
    monkeypatch.setattr(transfer_tables, "RANK_RESAMPLES", 5)


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp("tiny")
    return Bench(write_material(folder), write_weights(folder / "weights"), 3)


@pytest.fixture
def oracle(bench, monkeypatch) -> Oracle:
    found = Oracle()
    monkeypatch.setattr(bench, "transcriber", found, raising=False)
    return found


def test_three_bars_are_of_different_kits(bench):
    for number in range(4):
        bars = transfer.triple(bench, number)
        kits = [{drum.instrument.kit for drum in bar.drums.values()} for bar in bars]
        # three kits in all: where no bar borrows, none is met twice
        if all(len(used) == 1 for used in kits):
            assert len(set.union(*kits)) == 3
    again = transfer.triple(bench, 2)
    assert all(np.array_equal(x.audio, y.audio) for x, y in zip(transfer.triple(bench, 2), again, strict=True))


def test_a_pair_is_measured_in_every_way(bench, oracle, monkeypatch):
    bars = transfer.triple(bench, 1)
    for bar in bars:
        oracle.known[len(bar.audio)] = bar.pattern
    told = {}

    def perfect(bench, rhythm, sound, source, *, seed):
        told["rhythm"], told["source"] = rhythm, source
        return transfer.sampled(bars[0].pattern, bars[1].drums), None

    monkeypatch.setattr(transfer, "transferred", perfect)
    row = transfer.measure(bench, 1)
    assert set(row["rows"]) == set(transfer_tables.ROWS)
    asked = bars[0].pattern
    assert [hit.voice for hit in told["rhythm"].hits] == [hit.voice for hit in asked.hits]
    assert [hit.beat for hit in told["rhythm"].hits] == pytest.approx([hit.beat for hit in asked.hits], abs=1e-3)
    assert told["source"].samples() == len(bars[1].audio)
    assert row["rows"]["transfer"]["mel"] == row["rows"]["sampler"]["mel"]
    assert row["rows"]["code"]["silent"]
    assert row["rows"]["itself"]["mel"]["a"] == 0.0
    assert row["rows"]["itself"]["features"] == row["a"]
    assert row["rows"]["transfer"]["embedding"] is None  # no file was named
    section = transfer.summarise([row, row], 0)
    values = [(check.measured.value, check.met) for check in section.checks]
    assert values[:2] == [(1.0, True), (1.0, True)]
    assert np.isnan(values[5][0])  # not measured, and so not met
    assert not values[5][1]


def test_a_result_of_another_length_is_refused(oracle):
    with pytest.raises(ValueError, match="44100"):
        transfer.rhythm_kept(np.zeros(44100, np.float32), np.zeros(50000, np.float32), [], oracle)


def test_nothing_heard_fails_every_comparison(bench, oracle, monkeypatch):
    bars = transfer.triple(bench, 0)
    for bar in bars:
        oracle.known[len(bar.audio)] = bar.pattern
    monkeypatch.setattr(transfer, "transferred", lambda *given, **more: (None, None))
    row = transfer.measure(bench, 0)
    assert row["rows"]["transfer"]["silent"]
    checks = transfer.summarise([row, row], 0).checks
    assert not any(check.met for check in checks)
    assert [check.measured.value for check in checks[:5]] == [0.0] * 5


def distances(b: float, a: float, c: float) -> dict[str, float]:
    return {"a": a, "b": b, "c": c}


def row(mel: dict[str, float], offset: float) -> dict:
    """A pair whose results all have the same distances and miss the features of B by an offset."""
    features = [0.1 * offset + 0.01 * n for n in range(21)]
    rhythm = score([], hits_of_pattern(Pattern((Hit(0, "kick"),))), 2.0)["groups"]
    one = {
        "rhythm": rhythm,
        **dict.fromkeys(transfer_tables.METRICS, mel),
        "silent": False,
        "features": [v + 0.5 for v in features],
    }
    return {"rows": dict.fromkeys(transfer_tables.ROWS, one), "b": features, "a": features}


def test_nearer_means_nearer_to_both():
    cases = [(1, 2, 3), (1, 0.5, 3), (1, 2, 0.5), (1, 1, 3)]
    rows = [row(distances(*case), number) for number, case in enumerate(cases)]
    found = transfer_tables.verdicts(rows, "transfer", "mel")
    assert [verdict["a"] for verdict in found] == [True, False, True, False]
    assert [verdict["c"] for verdict in found] == [True, True, False, True]
    assert [verdict["both"] for verdict in found] == [True, False, False, False]
    check = transfer.summarise(rows, 0).checks[2]
    assert (check.measured.value, check.met) == (25.0, False)


def test_order_and_error_of_features_are_told_apart():
    rows = [row(distances(1, 2, 3), offset) for offset in (0.0, 3.0, 1.0, 2.0)]
    bands = transfer.summarise(rows, 0).tables[6]
    low = next(line for line in bands.rows if line[0] == "low")
    # half a knob too high throughout: in the right order all the same
    assert low[2].value == pytest.approx(1.0)
    assert low[3].value == pytest.approx(0.5)
    both = np.array([[[0.1], [0.9]], [[0.5], [0.5]], [[0.9], [0.1]]])
    assert transfer_tables.rank_correlation(both, 0).value == pytest.approx(-1.0)


def test_borrowed_drums_are_of_the_same_stem():
    pattern = Pattern((Hit(0, "kick"), Hit(1, "clap"), Hit(2, "ride")))
    drums = {"kick": "kick", "snare": "snare", "hat_open": "hat"}
    assert transfer.borrowed(pattern, drums) == {"kick": "kick", "clap": "snare"}
