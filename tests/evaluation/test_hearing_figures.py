"""The figures of the section Hearing on answers whose faults are known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.analysis.transcription import HeardHit, Transcription
from loopnet_cli.evaluation import hearing
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.degrade import LEVEL_DB, degraded, low_pass
from loopnet_cli.evaluation.matching import Struck, score
from loopnet_cli.evaluation.report import Section

sys.path.insert(0, str(Path(__file__).parent))
from signals import RATE, kick, play
from tiny import write_material, write_weights

PERIOD = 2.0
VELOCITIES = (0.9, 0.3, 0.8, 0.4, 0.7, 0.5, 0.6, 0.2)
BAR = [Struck(0.25 * n, "kick", velocity) for n, velocity in enumerate(VELOCITIES)]
BAR += [Struck(0.5 * n + 0.1, "snare", 0.4 + 0.1 * n) for n in range(4)]
BAR += [Struck(0.2 * n + 0.05, "hat_closed", 0.3 + 0.05 * n) for n in range(9)]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Intervals are not what is tested here."""
    monkeypatch.setattr(hearing, "RANK_RESAMPLES", 5)


def rows(heard: list[Struck], bars: int = 3) -> list[dict]:
    empty = {"seconds": PERIOD, **dict.fromkeys(hearing.GROUPS, 0)}
    one = score(heard, BAR, PERIOD)
    return [{**dict.fromkeys(hearing.SETS, one), "empty": dict.fromkeys(hearing.EMPTY, empty)}] * bars


def checks(section: Section) -> dict[str, tuple[float, bool]]:
    names = ("kick", "snare", "hat", "time", "velocity")
    return {name: (check.measured.value, check.met) for name, check in zip(names, section.checks, strict=True)}


def test_the_truth_passes():
    assert checks(hearing.summarise(rows(BAR), 0)) == {
        "kick": (1.0, True),
        "snare": (1.0, True),
        "hat": (1.0, True),
        "time": (0.0, True),
        "velocity": (pytest.approx(1.0), True),
    }


def test_silence_fails_and_is_not_measured_where_nothing_matches():
    found = checks(hearing.summarise(rows([]), 0))
    assert [found[name] for name in ("kick", "snare", "hat")] == [(0.0, False)] * 3
    assert np.isnan(found["time"][0])
    assert np.isnan(found["velocity"][0])
    assert not found["time"][1]
    assert not found["velocity"][1]


def test_late_hits_are_late_by_as_much():
    late = [hit._replace(seconds=(hit.seconds + 0.008) % PERIOD) for hit in BAR]
    size, signed = hearing.timing(rows(late), "plain", hearing.HEARD, 0)
    assert size.value == pytest.approx(8.0, abs=0.02)
    assert signed.value == pytest.approx(8.0, abs=0.02)
    scattered = [hit._replace(seconds=(hit.seconds + 0.004 * (-1) ** n) % PERIOD) for n, hit in enumerate(BAR[:8])]
    size, signed = hearing.timing(rows(scattered), "plain", ("kick",), 0)
    assert size.value == pytest.approx(4.0, abs=0.02)
    assert signed.value == pytest.approx(0.0, abs=0.02)


def test_half_the_kicks_are_a_recall_of_a_half():
    half = [hit for hit in BAR if hit.voice != "kick"] + BAR[0:8:2]
    section = hearing.summarise(rows(half), 0)
    assert checks(section)["kick"] == (pytest.approx(2 * 4 / (4 + 8)), False)
    row = next(row for row in section.tables[0].rows if row[1] == "kick")
    assert row[2] == "24"
    assert [cell.value for cell in row[-2:]] == [1.0, 0.5]
    # the soft ones are those that are missing
    recall = {row[1]: row[3].value for row in section.tables[2].rows if row[0] == "kick"}
    assert recall == {"0 to 0.35": 0.0, "0.35 to 0.7": pytest.approx(1 / 3), "0.7 to 1": 1.0}


def test_late_hits_and_wrong_velocities_fail_the_checks():
    worse = [hit._replace(seconds=(hit.seconds + 0.008) % PERIOD, velocity=1.05 - hit.velocity) for hit in BAR]
    found = checks(hearing.summarise(rows(worse), 0))
    assert found["kick"] == (1.0, True)
    assert found["time"] == (pytest.approx(8.0, abs=0.02), False)
    assert found["velocity"] == (pytest.approx(-1.0), False)


def test_velocities_in_the_wrong_order_are_found():
    upside_down = [hit._replace(velocity=1.05 - hit.velocity) for hit in BAR]
    pooled, median = hearing.velocities(rows(upside_down), "plain", ("kick",), 0)
    assert pooled.value == pytest.approx(-1.0)
    assert median.value == pytest.approx(-1.0)
    # a bar heard softer than another one counts only where bars are compared
    louder = score([hit._replace(velocity=hit.velocity / 10) for hit in BAR], BAR, PERIOD)
    mixed = [*rows(BAR)[:1], {**rows(BAR)[0], "plain": louder}]
    pooled, median = hearing.velocities(mixed, "plain", ("kick",), 0)
    assert median.value == pytest.approx(1.0)
    assert pooled.value < 0.8


def test_inventions_in_silence_are_counted_by_the_second():
    made = rows(BAR)
    noisy = {**made[0]["empty"]["noise"], "kick": 3}
    made[0] = {**made[0], "empty": {**made[0]["empty"], "noise": noisy}}
    table = hearing.summarise(made, 0).tables[-1]
    assert [[cell.value for cell in row[2:]] for row in table.rows] == [[0] * 4, [0.5, 0, 0, 0], [0] * 4]


@dataclass
class Oracle:
    """Hears the bar that was rendered last, whatever it is played, but nothing in silence and noise."""

    hits: tuple[HeardHit, ...] = ()
    played: int = 0

    def transcribe(self, audio, sample_rate, *, circular=False):
        self.played += 1
        hits = self.hits if self.played <= 3 else ()
        nothing = (np.zeros((1, columns), np.float32) for columns in (3, 10))
        return Transcription(hits, *nothing, len(audio) / sample_rate)


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp("tiny")
    return Bench(write_material(folder), write_weights(folder / "weights"), 3)


def test_a_bar_is_measured_in_every_way(bench, monkeypatch):
    pattern = bench.usual.bar(0).pattern
    onsets = pattern.onset_samples(RATE)
    truth = tuple(HeardHit(at / RATE, hit.voice, hit.velocity) for at, hit in zip(onsets, pattern.hits, strict=True))
    oracle = Oracle(truth)
    monkeypatch.setattr(bench, "transcriber", oracle, raising=False)
    row = hearing.measure(bench, 0)
    assert oracle.played == 6
    for name in hearing.SETS:
        assert set(row[name]["groups"]) == {"kick", "snare", "hat"}
        for group in row[name]["groups"].values():
            assert group["right25"] == group["found"] == len(group["events"]) > 0
    assert set(row["empty"]) == set(hearing.EMPTY)


def test_a_transcriber_that_was_never_trained_is_not_found_good(bench):
    measured = [hearing.measure(bench, number) for number in range(2)]
    assert measured == [hearing.measure(bench, number) for number in range(2)]
    assert not any(check.met for check in hearing.summarise(measured, 0).checks[:3])


def test_degrading_keeps_hits_in_place_and_the_circle_closed():
    loop = play(kick(), [10000], 2 * RATE).astype(np.float32)
    worse = degraded(loop, np.random.default_rng(1))
    assert worse.shape == loop.shape
    level = 10 * np.log10(np.mean(worse**2) / np.mean(loop**2))
    assert level == pytest.approx(LEVEL_DB, abs=0.1)
    turned = degraded(np.roll(loop, 30000), np.random.default_rng(1))
    # the noise does not turn with the loop
    assert np.corrcoef(np.roll(worse, 30000), turned)[0, 1] > 0.999
    spectrum = np.correlate(np.abs(worse), np.abs(loop[5000:20000]), "valid")
    assert abs(int(spectrum.argmax()) - 5000) < 0.005 * RATE


def test_the_low_pass_has_its_corner_and_does_not_ring_ahead():
    hertz = np.fft.rfftfreq(RATE, 1 / RATE)
    response = low_pass(hertz, 5000.0)
    gain = 20 * np.log10(np.abs(response[[0, 5000, 10000]]))
    assert gain == pytest.approx([0.0, -3.01, -24.1], abs=0.1)
    impulse = np.fft.irfft(response)
    assert np.abs(impulse[-RATE // 2 :]).max() < 0.01 * np.abs(impulse).max()


def test_noise_has_the_level_it_says():
    for seed in range(4):
        level = 10 * np.log10(np.mean(np.square(hearing.noise(RATE, np.random.default_rng(seed)))))
        assert -60.01 < level < -19.99
