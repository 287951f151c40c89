"""The timbre analysis: against the reference, on plain sounds, on loops, on bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loopnet_cli.analysis import bench
from loopnet_cli.analysis.timbre import band_filter, timbre_attributes, timbre_features
from loopnet_cli.controls import ATTRIBUTES, BANDS, TIMBRE_NAMES
from loopnet_cli.errors import AudioError

from .conftest import RATE, noise, tone


@pytest.fixture(scope="module")
def measured(golden):
    rows = bench.read_golden(golden)
    ours = np.array([bench.analyse(row)[0] for row in rows])
    return ours, np.array([row.values for row in rows])


@pytest.mark.slow
class TestReference:
    def test_every_attribute_agrees(self, measured):
        for line in bench.agreement(*measured):
            assert line.count >= 200
            assert line.mean_error <= 0.5, line
            assert line.spearman >= 0.995, line

    def test_no_single_row_is_far_off(self, measured):
        ours, theirs = measured
        assert np.nanmax(np.abs(ours - theirs)) <= 4

    def test_bench_prints_a_line_for_each_attribute(self, golden, tmp_path, capsys):
        lines = (golden / "timbre.csv").read_text().splitlines()
        (tmp_path / "timbre.csv").write_text("\n".join(lines[:9]) + "\n")
        (tmp_path / "clips").symlink_to(golden / "clips")
        assert bench.main([str(tmp_path)]) == 0
        printed = capsys.readouterr().out
        assert all(f"| {name} | 8 |" in printed for name in ATTRIBUTES)
        assert "times faster" in printed


class TestMeaning:
    """Sounds whose order everybody would agree on."""

    def attribute(self, name: str, *sounds: np.ndarray) -> list[float]:
        return [timbre_attributes(sound)[name] for sound in sounds]

    def test_brightness_and_sharpness_rise_with_frequency(self):
        sounds = [tone(hertz) for hertz in (150, 600, 2500, 9000)]
        for name in ("brightness", "sharpness"):
            values = self.attribute(name, *sounds)
            assert values == sorted(values) and values[-1] > values[0] + 20

    @pytest.mark.parametrize(("name", "lowest"), [("depth", 60), ("boominess", 60), ("warmth", 250)])
    def test_low_tones_are_deep_boomy_and_warm(self, name, lowest):
        values = self.attribute(name, *(tone(hertz) for hertz in (lowest, 500, 1000, 5000)))
        assert values == sorted(values, reverse=True) and values[0] > values[-1] + 20

    def test_beating_is_rough_and_a_tone_is_not(self):
        smooth, rough = self.attribute("roughness", tone(440), tone(440) + tone(500))
        assert rough > smooth + 10

    def test_a_click_is_harder_than_a_swell(self):
        time = np.arange(RATE) / RATE
        body = noise(1.0)
        click = body * np.exp(-time * 25)
        swell = body * np.sin(np.pi * time) ** 2
        hard, soft = self.attribute("hardness", click.astype(np.float32), swell.astype(np.float32))
        assert hard > soft + 5

    def test_level_does_not_matter(self, beat):
        loud, quiet = timbre_features(beat), timbre_features(beat * np.float32(0.125))
        assert max(abs(loud[name] - quiet[name]) for name in TIMBRE_NAMES) < 0.2


class TestLoop:
    def test_a_band_measured_alone_is_what_it_is_among_all(self, beat):
        whole = timbre_features(beat, RATE)
        some = timbre_features(beat, RATE, only=("high", "low"))
        assert some == pytest.approx({name: value for name, value in whole.items() if not name.startswith("mid.")})

    def test_names_and_order(self, beat):
        found = timbre_features(beat)
        assert tuple(found) == TIMBRE_NAMES
        assert all(type(value) is float and math.isfinite(value) for value in found.values())

    @pytest.mark.parametrize("shift", [1, 1000, 22050, 61234])
    def test_where_a_loop_is_cut_does_not_matter(self, beat, shift):
        assert timbre_features(np.roll(beat, shift)) == pytest.approx(timbre_features(beat), abs=1e-6)

    def test_repeating_a_loop_hardly_matters(self, beat):
        once, twice = timbre_features(beat), timbre_features(np.tile(beat, 2))
        errors = [abs(once[name] - twice[name]) for name in TIMBRE_NAMES]
        assert np.mean(errors) < 1.5

    def test_a_clip_knows_where_it_is_cut(self, beat):
        cut = np.roll(beat, 5000)
        assert timbre_features(cut, circular=False) != pytest.approx(timbre_features(beat, circular=False), abs=0.5)

    def test_the_high_band_is_not_a_constant(self, beat):
        dull = band_filter(beat, "low") + 0.02 * band_filter(beat, "high")
        a, b = timbre_features(beat), timbre_features((dull + 0.05 * tone(12000, 2.0)).astype(np.float32))
        assert sum(abs(a[f"high.{name}"] - b[f"high.{name}"]) > 1 for name in ATTRIBUTES) >= 5

    def test_bands_are_analysed_one_by_one(self, beat):
        found = timbre_features(beat)
        assert found["low.brightness"] < found["mid.brightness"] < found["high.brightness"]
        assert found["low.boominess"] > found["high.boominess"]

    def test_the_input_is_left_alone(self, beat):
        before = beat.copy()
        timbre_features(beat)
        assert np.array_equal(before, beat)

    def test_the_same_audio_gives_the_same_values(self, beat):
        assert timbre_features(beat) == timbre_features(beat.astype(np.float64))


class TestBands:
    def gain(self, band: str, hertz: float) -> float:
        sound = tone(hertz)
        return float(np.sqrt(np.mean(band_filter(sound, band) ** 2) / np.mean(sound.astype(np.float64) ** 2)))

    @pytest.mark.parametrize(("band", "hertz"), [("low", 90), ("high", 9000), ("mid", 234.5), ("mid", 334.5)])
    def test_edges_lie_3_db_down(self, band, hertz):
        assert self.gain(band, hertz) == pytest.approx(math.sqrt(0.5), abs=0.01)

    def test_slopes_are_those_of_first_order_filters(self):
        assert self.gain("mid", 280) == pytest.approx(1, abs=0.001)
        # frequencies are warped by the bilinear transform
        high = math.tan(math.pi * 450 / RATE) / math.tan(math.pi * 9000 / RATE)
        low = math.tan(math.pi * 90 / RATE) / math.tan(math.pi * 1800 / RATE)
        assert self.gain("high", 450) == pytest.approx(high / math.hypot(1, high), rel=1e-3)
        assert self.gain("low", 1800) == pytest.approx(low / math.hypot(1, low), rel=1e-3)

    def test_a_loop_comes_out_as_a_loop(self, beat):
        for band in BANDS:
            once = band_filter(beat, band)
            twice = band_filter(np.tile(beat, 2), band)
            assert np.allclose(np.tile(once, 2), twice, atol=1e-8)
            assert np.allclose(np.roll(once, 777), band_filter(np.roll(beat, 777), band), atol=1e-8)

    def test_a_clip_starts_from_rest(self):
        assert band_filter(np.ones(100), "low", circular=False)[0] < 0.01
        assert band_filter(np.ones(100), "low")[0] == pytest.approx(1, abs=1e-6)

    def test_unknown_band_and_slow_rate(self):
        with pytest.raises(ValueError, match="low, mid, high"):
            band_filter(tone(100), "bass")
        with pytest.raises(AudioError, match="16000 Hz"):
            band_filter(tone(100), "high", 16000)


BAD = {
    "silence": (np.zeros(RATE), "silent"),
    "steady offset": (np.full(RATE, 0.5), "silent"),
    "one sample": (np.ones(1), "silent"),
    "empty": (np.zeros(0), "empty"),
    "not a number": (np.array([0.0, np.nan, 1.0] * 100), "not numbers"),
    "infinite": (np.array([0.0, np.inf, 1.0] * 100), "infinite"),
    "stereo": (np.zeros((2, 100)), "mono"),
    "too long": (np.broadcast_to(np.float32(0.1), 601 * RATE), "cut it"),
}
ODD = {
    "10 ms": noise(0.01),
    "three samples": np.array([0.0, 1.0, 0.3]),
    "highest frequency": (-1.0) ** np.arange(RATE),
    "one impulse": np.eye(1, RATE, 30000)[0],
    "very quiet": noise(1.0) * 1e-4,
    "very loud": noise(1.0).astype(np.float64) * 1e300,
    "noise on an offset": 1 + noise(1.0) * 1e-4,
    "5 Hz": tone(5),
}


class TestInput:
    @pytest.mark.parametrize("name", BAD)
    def test_refused_in_one_line(self, name):
        audio, says = BAD[name]
        for circular in (True, False):
            with pytest.raises(AudioError, match=says) as caught:
                timbre_features(audio, circular=circular)
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("rate", [8000, 22050, 500000])
    def test_sample_rates_out_of_range(self, rate):
        with pytest.raises(AudioError, match=f"{rate} Hz"):
            timbre_features(noise(), rate)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("name", ODD)
    @pytest.mark.parametrize("circular", [True, False])
    def test_odd_but_finite(self, name, circular):
        values = timbre_features(ODD[name], circular=circular).values()
        assert all(math.isfinite(value) and abs(value) < 300 for value in values)

    def test_a_short_loop_is_the_loop_it_would_be_when_repeated(self):
        short = noise(0.05)
        assert timbre_features(short) == pytest.approx(timbre_features(np.tile(short, 4)), abs=1e-6)
