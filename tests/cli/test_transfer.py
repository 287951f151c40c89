"""``loopnet transfer`` as a user meets it: each flag once, many pairs, what goes wrong.

The transcriber, the finding of kits, the search for bars and the features are fakes; the whole way with nothing
faked is in test_real_transfer.py.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from fake_ears import FakeTranscriber
from fake_studio import GRID, beat, make_kit, names
from sounds import KICKS, SNARES, drum_loop, encoded

from loopnet_cli.analysis.section import Section
from loopnet_cli.audio.write import read_loop_metadata
from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.pattern.write import write_midi
from loopnet_cli.synthesis.kit_store import save_kit

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def ears(monkeypatch) -> FakeTranscriber:
    """A transcriber that costs nothing, and counts how often it is loaded."""
    fake = FakeTranscriber()
    fake.loaded = 0

    def load(folder=None):
        fake.loaded += 1
        return fake

    monkeypatch.setattr("loopnet_cli.analysis.transcriber.load_transcriber", load)
    return fake


@pytest.fixture(autouse=True)
def asked(monkeypatch) -> list[dict]:
    """Put something quick in the place of what takes a second a file; what the search for bars was told."""
    told: list[dict] = []

    def find_section(audio, sample_rate, *, bpm=None, bars=None, meter=None, **rest):
        told.append({"bpm": bpm, "bars": bars, "meter": meter, **rest})
        seconds = len(audio) / sample_rate
        count = bars or max(1, round(seconds / 2))
        meter = meter or (4, 4)
        tempo = 60 * count * meter[0] * 4 / meter[1] / seconds
        return Section(0.0, seconds, tempo, count, meter, True, 0.9, "length", {"length": tempo})

    def timbre_features(audio, sample_rate, *, circular=True):
        return {name: float(20 + index) for index, name in enumerate(TIMBRE_NAMES)}

    monkeypatch.setattr("loopnet_cli.analysis.section.find_section", find_section)
    monkeypatch.setattr("loopnet_cli.analysis.timbre.timbre_features", timbre_features)
    monkeypatch.setattr("loopnet_cli.analysis.hearing._chroma", lambda *_: np.linspace(0, 1, 12, dtype=np.float32))
    return told


@pytest.fixture(autouse=True)
def found(monkeypatch) -> list[str]:
    """A finding of kits that costs nothing; the kits that were looked for."""
    names: list[str] = []

    def kit_from_audio(model, audio, sample_rate, pattern, *, name, description):
        names.append(name)
        if not pattern.hits:
            raise AudioError("the recording is silent, so there is no sound to take")
        return make_kit(name, description, 0.8)

    monkeypatch.setattr("loopnet_cli.synthesis.transfer.kit_from_audio", kit_from_audio)
    return names


@pytest.fixture(autouse=True)
def files(tmp_path) -> None:
    """a.wav and b.wav, a bar each, and silent.wav."""
    (tmp_path / "a.wav").write_bytes(encoded(drum_loop(bars=1, bpm=120)))
    (tmp_path / "b.wav").write_bytes(encoded(drum_loop(bars=1, bpm=96, rate=22050), rate=22050))
    (tmp_path / "silent.wav").write_bytes(encoded(np.zeros(44100, np.float32)))


def made(done) -> dict:
    """Return the one JSON object of a run that went well."""
    assert done.code == 0, done.stderr
    (told,) = done.loops
    return told


def beats(pattern, voice: str) -> list[float]:
    return [hit.beat for hit in pattern.hits if hit.voice == voice]


class TestRhythm:
    def test_a_recording_is_played_as_it_was_heard(self, loopnet, studio, tmp_path):
        done = loopnet("transfer", "--rhythm", "a.wav", "--timbre", "warm-808", "-o", "out.wav")
        assert done.code == 0 and done.stdout == ""
        audio, rate = soundfile.read(tmp_path / "out.wav")
        assert rate == 44100 and audio.shape == (88200,)
        pattern = studio.calls[0]["pattern"]
        assert pattern.tempo == 120 and studio.calls[0]["kit"].name == "warm-808"
        assert beats(pattern, "kick") == pytest.approx([4 * place for place in KICKS], abs=0.03)
        assert beats(pattern, "snare") == pytest.approx([4 * place for place in SNARES], abs=0.03)
        assert "a.wav: heard 1 bar of 4/4 at 120.00 BPM (0.000 s to 2.000 s, length), 3 kick" in done.stderr

    def test_midi_a_grid_and_a_file_of_one(self, loopnet, studio, ears, midi, tmp_path):
        (tmp_path / "x.grid").write_text(GRID)
        for rhythm in (midi, GRID, "x.grid"):
            assert loopnet("transfer", "-r", rhythm, "-t", "warm-808", "-o", "o.wav", "--overwrite").code == 0
        assert [beats(call["pattern"], "kick") for call in studio.calls] == [[0], [0, 1, 2, 3], [0, 1, 2, 3]]
        assert ears.loaded == 0

    def test_a_recording_or_midi_on_stdin(self, loopnet, studio, midi, tmp_path):
        for content in ((tmp_path / "a.wav").read_bytes(), midi.read_bytes(), GRID.encode()):
            words = ("-r", "-", "-t", "warm-808", "-o", "o.wav", "--overwrite")
            assert loopnet("transfer", *words, input=content).code == 0
        assert [len(call["pattern"].hits) for call in studio.calls] == [13, 3, 2 * GRID.count("x")]

    def test_a_midi_file_by_another_name(self, loopnet, studio, ears, tmp_path):
        write_midi(beat(), tmp_path / "x.bin")
        assert loopnet("transfer", "-r", "x.bin", "-t", "warm-808", "-o", "o.wav").code == 0
        assert ears.loaded == 0 and len(studio.calls[0]["pattern"].hits) == 3

    def test_tempo_and_bars_of_the_result(self, loopnet, studio, tmp_path):
        words = ("-r", "a.wav", "-t", "b.wav", "-o", "o.wav", "--bpm", 97, "--bars", 3)
        assert loopnet("transfer", *words).code == 0
        assert soundfile.info(tmp_path / "o.wav").frames == round(60 / 97 * 12 * 44100)
        assert len(beats(studio.calls[0]["pattern"], "kick")) == 9

    def test_what_is_told_of_the_rhythm_is_not_told_of_the_sound(self, loopnet, studio, asked):
        words = ("--rhythm-bpm", 60, "--rhythm-bars", 2, "--rhythm-start", 0.5, "--rhythm-end", 1.5, "--meter", "3/4")
        assert loopnet("transfer", "-r", "a.wav", "-t", "b.wav", "-o", "o.wav", *words).code == 0
        assert (asked[0]["bpm"], asked[0]["bars"], asked[0]["meter"]) == (60, 2, (3, 4))
        assert (asked[1]["bpm"], asked[1]["bars"], asked[1]["meter"]) == (None, None, None)
        assert studio.calls[0]["pattern"].samples() == 44100

    def test_a_part_of_the_sound(self, loopnet, ears):
        words = ("--timbre-start", 0.5, "--timbre-end", 1.25)
        assert loopnet("transfer", "-r", GRID, "-t", "b.wav", "-o", "o.wav", *words).code == 0
        assert ears.calls[0][0] == pytest.approx(0.75, abs=1e-3)

    def test_quantize(self, loopnet, studio):
        words = ("--quantize", 16, "--swing", 0.6, "--strength", 1)
        assert loopnet("transfer", "-r", "a.wav", "-t", "b.wav", "-o", "o.wav", *words).code == 0
        pattern = studio.calls[0]["pattern"]
        assert all(min(abs(hit.beat % 0.5 - off) for off in (0, 0.3, 0.5)) < 1e-9 for hit in pattern.hits)

    def test_quantize_half_way(self, loopnet, studio):
        grid = "snare: .x.............."
        for n, more in enumerate(((), ("--quantize", 4), ("--quantize", 4, "--strength", 0.5))):
            assert loopnet("transfer", "-r", grid, "-t", "warm-808", "-o", f"{n}.wav", *more).code == 0
        assert [beats(call["pattern"], "snare") for call in studio.calls] == [[0.25], [0], [0.125]]

    def test_map(self, loopnet, studio, midi, tmp_path):
        (tmp_path / "map.toml").write_text('base = "none"\n36 = "tom"\n')
        assert loopnet("transfer", "-r", midi, "-t", "b.wav", "-o", "o.wav", "--map", "map.toml").code == 0
        assert studio.calls[0]["pattern"].voices == ("tom",)


class TestSound:
    def test_a_recording_gives_kit_features_and_balance(self, loopnet, studio, found, tmp_path):
        assert loopnet("transfer", "-r", GRID, "-t", "b.wav", "-o", "o.wav", "--seed", 3).code == 0
        call = studio.calls[0]
        assert found == ["b"] and call["kit"].name == "b" and call["seed"] == 3
        assert set(call["match"]) == set(TIMBRE_NAMES) and call["chroma"] is None
        settings = read_loop_metadata(tmp_path / "o.wav").settings
        plain = studio.render(call["pattern"], kit=call["kit"], seed=3).audio
        assert settings["kit"] == "b" and not np.allclose(soundfile.read(tmp_path / "o.wav")[0], plain, atol=0.02)

    def test_a_kit_of_ones_own(self, loopnet, studio, own_kits, ears):
        save_kit(make_kit("mine", "", 0.7))
        assert loopnet("transfer", "-r", GRID, "-t", "mine", "-o", "o.wav").code == 0
        assert studio.calls[0]["kit"].timbre["low.depth"] == 0.7 and studio.calls[0]["match"] is None

    def test_a_kit_comes_before_a_file_of_its_name(self, loopnet, studio, tmp_path):
        (tmp_path / "warm-808").write_bytes((tmp_path / "b.wav").read_bytes())
        loopnet("transfer", "-r", GRID, "-t", "warm-808", "-o", "1.wav")
        loopnet("transfer", "-r", GRID, "-t", "./warm-808", "-o", "2.wav")
        # the recording is matched, and played unmatched to compare
        assert [call["match"] is None for call in studio.calls] == [True, False, True]

    def test_amount_blends_with_the_sound_of_the_rhythm(self, loopnet, studio, found):
        told = made(loopnet("transfer", "-r", "a.wav", "-t", "b.wav", "-o", "o.wav", "--amount", 0.5, "--json"))
        assert sorted(found) == ["a", "b"] and studio.calls[0]["kit"].name == "a+b"
        assert told["amount"] == 0.5 and told["own"] == "a.wav" and told["controls"]["kit"] == "a+b"

    @pytest.mark.parametrize(("more", "kit"), [((), "tight-studio"), (("--own-kit", "dusty-vinyl"), "dusty-vinyl")])
    def test_amount_with_a_rhythm_that_has_no_sound(self, loopnet, studio, found, more, kit):
        words = ("-r", GRID, "-t", "warm-808", "-o", "o.wav", "--amount", 0)
        assert made(loopnet("transfer", *words, *more, "--json"))["own"] == kit
        assert studio.calls[0]["kit"].name == kit and found == []

    def test_own_kit_in_the_place_of_a_recording(self, loopnet, studio, found):
        words = ("-r", "a.wav", "-t", "warm-808", "-o", "o.wav", "--amount", 0.25, "--own-kit", "dusty-vinyl")
        assert loopnet("transfer", *words).code == 0
        assert studio.calls[0]["kit"].timbre["low.depth"] == pytest.approx(0.75 * 0.3 + 0.25 * 0.6) and found == []

    def test_knobs_on_top(self, loopnet, studio):
        words = ("--brightness", ".8", "--low-depth", "+.2", "--set", "warmth=-.1,low.depth=.9")
        assert loopnet("transfer", "-r", GRID, "-t", "warm-808", "-o", "o.wav", *words).code == 0
        knobs = studio.calls[0]["timbre"]
        assert knobs["high.brightness"].value == 0.8 and knobs["mid.warmth"].relative
        assert (knobs["low.depth"].value, knobs["low.depth"].relative) == (0.2, True)

    def test_set_means_the_same_in_generate(self, loopnet, studio):
        assert loopnet("generate", GRID, "-o", "o.wav", "--set", "low.depth=.9").code == 0
        assert studio.calls[0]["timbre"]["low.depth"].value == 0.9

    def test_chroma(self, loopnet, studio):
        assert loopnet("transfer", "-r", GRID, "-t", "b.wav", "-o", "o.wav", "--chroma", "Am").code == 0
        (chroma,) = {call["chroma"] for call in studio.calls}
        assert [name for name, value in zip(PITCH_CLASSES, chroma, strict=True) if value] == ["C", "E", "A"]

    def test_chroma_from_a_kit_and_from_a_recording(self, loopnet, studio, tmp_path):
        tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(22050) / 22050)
        (tmp_path / "tone.wav").write_bytes(encoded(tone.astype(np.float32), rate=22050))
        for source in ("dusty-vinyl", "tone.wav"):
            words = ("-r", GRID, "-t", "warm-808", "-o", "o.wav", "--overwrite", "--chroma-from", source)
            assert loopnet("transfer", *words).code == 0
        kit, tone = (call["chroma"] for call in studio.calls)
        assert kit == (1.0,) + (0.0,) * 11
        assert PITCH_CLASSES[int(np.argmax(tone))] == "A"

    def test_only_some_sound_and_as_they_do_among_the_others(self, loopnet, studio, tmp_path):
        for n, more in enumerate(((), ("--only", "snare"))):
            words = ("-r", "a.wav", "-t", "warm-808", "-o", f"{n}.wav", "--stems", "s", "--normalize", "none")
            told = made(loopnet("transfer", *words, *more, "--seed", 1, "--json"))
        assert told["hits"] == {"snare": 2} and told["only"] == ["snare"] and told["rhythm"]["hits"]["kick"] == 3
        np.testing.assert_array_equal(*(soundfile.read(tmp_path / "s" / f"{n}_snare.wav")[0] for n in (0, 1)))
        np.testing.assert_array_equal(*(soundfile.read(tmp_path / name)[0] for name in ("1.wav", "s/1_snare.wav")))
        assert not soundfile.read(tmp_path / "s" / "1_kick.wav")[0].any()

    def test_only_one_voice_of_a_stem(self, loopnet, studio):
        grid = "kick: x...x... hat_open: ..x...x. hat_closed: x...x..."
        assert loopnet("transfer", "-r", grid, "-t", "warm-808", "-o", "o.wav", "--only", "hat_open,kick").code == 0
        assert studio.calls[0]["pattern"].voices == ("kick", "hat_open")


class TestFiles:
    def test_stdout_carries_the_file_and_nothing_else(self, loopnet, tmp_path):
        words = ("-r", GRID, "-t", "warm-808", "--seed", 4)
        assert loopnet("transfer", *words, "-o", "o.wav").code == 0
        assert loopnet("transfer", *words, "-o", "-").stdout_bytes == (tmp_path / "o.wav").read_bytes()
        flac = loopnet("transfer", *words, "-o", "-", "--format", "flac").stdout_bytes
        assert soundfile.read(io.BytesIO(flac))[0].ndim == 1

    def test_every_rhythm_in_every_sound(self, loopnet, studio, ears, found, midi, tmp_path):
        done = loopnet(
            "transfer", "-r", "[ab].wav", "-r", midi, "-t", "b.wav", "-t", "warm-808", "--out-dir", "o", "--seed", 7
        )
        assert done.code == 0, done.stderr
        expected = {f"{rhythm}_{timbre}_7.wav" for rhythm in ("a", "b", "beat") for timbre in ("b", "warm-808")}
        assert names(tmp_path / "o") == expected
        assert done.stderr.splitlines()[-1] == "6 loops written"
        assert (studio.loaded, ears.loaded, found) == (1, 1, ["b"])

    def test_all_fields_of_a_name(self, loopnet, tmp_path):
        template = "{rhythm}-{stem}-{timbre}-{kit}-{model}-{amount}-{seed:03}-{bpm}-{bars}-{meter}"
        words = ("-r", "a.wav", "-t", "warm-808", "--name", template, "--seed", 7, "--amount", 0.5)
        assert loopnet("transfer", *words).code == 0
        assert "a-a-warm-808-warm-808-studio-0.5-007-120-1-4-4.wav" in names(tmp_path)

    def test_existing_files(self, loopnet, studio, ears, tmp_path):
        (tmp_path / "o.wav").write_text("mine")
        words = ("-r", "a.wav", "-t", "b.wav", "-o", "o.wav")
        loopnet("transfer", *words).refused(1, "o.wav exists")
        assert loopnet("transfer", *words, "--skip-existing").code == 0
        assert (tmp_path / "o.wav").read_text() == "mine" and (studio.loaded, ears.loaded) == (0, 0)
        assert loopnet("transfer", *words, "--overwrite").code == 0
        assert soundfile.info(tmp_path / "o.wav").frames == 88200

    def test_audio_options(self, loopnet, tmp_path):
        words = ("--repeat", 2, "--subtype", "16", "--sample-rate", 22050, "--normalize", "peak:-6")
        assert loopnet("transfer", "-r", GRID, "-t", "warm-808", "-o", "o.wav", *words).code == 0
        info = soundfile.info(tmp_path / "o.wav")
        assert (info.samplerate, info.subtype) == (22050, "PCM_16")
        audio, _ = soundfile.read(tmp_path / "o.wav")
        np.testing.assert_array_equal(*np.split(audio, 2))
        assert 0.4 < np.abs(audio).max() <= 0.502

    def test_stems_sum_to_the_loop(self, loopnet, tmp_path):
        words = ("-r", "a.wav", "-t", "b.wav", "-o", "o.wav", "--stems", "s", "--subtype", "float")
        assert loopnet("transfer", *words).code == 0
        total = sum(soundfile.read(tmp_path / "s" / name)[0] for name in names(tmp_path / "s"))
        np.testing.assert_allclose(total, soundfile.read(tmp_path / "o.wav")[0], atol=1e-6)

    def test_the_seed_reproduces_the_bytes(self, loopnet, tmp_path):
        for name, seed in (("1", 5), ("2", 5), ("3", 6)):
            assert loopnet("transfer", "-r", "a.wav", "-t", "b.wav", "-o", f"{name}.wav", "--seed", seed).code == 0
        one, two, three = ((tmp_path / f"{n}.wav").read_bytes() for n in (1, 2, 3))
        assert one == two != three

    def test_the_wav_tells_what_was_done_but_not_where(self, loopnet, tmp_path):
        words = ("--amount", 0.5, "--seed", 9, "--low-depth", "+.2", "--only", "kick", "--quantize", 16)
        done = loopnet("transfer", "-r", tmp_path / "a.wav", "-t", tmp_path / "b.wav", "-o", "o.wav", *words)
        assert done.code == 0
        settings = read_loop_metadata(tmp_path / "o.wav").settings
        assert settings["transfer"] == {
            "rhythm": "a.wav", "timbre": "b.wav", "amount": 0.5, "own": "a.wav", "only": ["kick"],
            "quantize": {"steps": 16, "strength": 1.0, "swing": 0.5}, "chroma_from": None,
        }  # fmt: skip
        assert settings["seed"] == 9 and settings["timbre"] == {"low.depth": "+0.2"}
        assert {hit[1] for hit in settings["pattern"]} == {"kick"}
        assert str(tmp_path).encode() not in (tmp_path / "o.wav").read_bytes()


class TestReport:
    def test_json(self, loopnet, tmp_path):
        words = ("--stems", "s", "--plot", "o.png", "--seed", 3, "--low-depth", ".9", "--bpm", 100, "--json")
        told = made(loopnet("transfer", "-r", "a.wav", "-t", "b.wav", "-o", "o.wav", *words))
        assert told["rhythm"] == {
            "file": "a.wav", "kind": "recording", "method": "length", "bpm": 120.0, "bars": 1, "meter": "4/4",
            "confidence": 0.9, "start": 0.0, "end": 2.0, "hits": told["hits"],
        }  # fmt: skip
        assert told["timbre"]["file"] == "b.wav" and told["timbre"]["bpm"] == 96 and told["timbre"]["kit"] == "b"
        assert told["hits"]["kick"] == 3 and told["bpm"] == 100 and told["seed"] == 3 and told["path"] == "o.wav"
        assert told["controls"]["timbre"]["low.depth"] == {"given": True, "asked": 0.9, "measured": 0.25}
        assert all((tmp_path / path).is_file() for path in [*told["stems"].values(), told["plot"]])

    def test_json_of_what_is_no_recording(self, loopnet, midi):
        told = made(loopnet("transfer", "-r", midi, "-t", "warm-808", "-o", "o.wav", "--json"))
        assert told["rhythm"]["kind"] == "pattern" and told["rhythm"]["method"] == "the tempo in the file"
        assert told["timbre"]["kind"] == "kit" and told["timbre"]["file"] is None
        assert told["timbre"]["kit"] == "warm-808" and told["timbre"]["hits"] is None

    def test_a_line_a_loop_and_quiet(self, loopnet):
        words = ("transfer", "-r", "a.wav", "-t", "b.wav", "--out-dir", "o", "--seed", 1)
        lines = loopnet(*words).stderr.splitlines()
        assert len(lines) == 3 and lines[2].startswith("o/a_b_1.wav: 1 bar of 4/4 at 120 BPM, 2.000 s, kit b, seed 1")
        quiet = loopnet(*words, "--quiet", "--overwrite")
        assert (quiet.code, quiet.stdout, quiet.stderr) == (0, "", "")

    @pytest.mark.parametrize(("rhythm", "timbre"), [("a.wav", "b.wav"), (GRID, "warm-808")])
    def test_plot(self, loopnet, tmp_path, rhythm, timbre):
        assert loopnet("transfer", "-r", rhythm, "-t", timbre, "-o", "o.wav", "--plot", "p.png").code == 0
        assert (tmp_path / "p.png").read_bytes().startswith(PNG)

    def test_warnings_of_both_are_passed_on_once(self, loopnet, tmp_path):
        clipped = np.clip(4 * drum_loop(bars=1), -1, 1)
        (tmp_path / "loud.wav").write_bytes(encoded(clipped))
        done = loopnet("transfer", "-r", GRID, "-t", "loud.wav", "-o", "o.wav", "--json")
        assert any("samples clipped" in warning for warning in made(done)["warnings"])
        assert done.stderr.count("loopnet: warning: loud.wav: ") == 1

    def test_debug_shows_where_an_error_comes_from(self, loopnet):
        done = loopnet("transfer", "-r", GRID, "-t", "warm-809", "-o", "o.wav", "--debug")
        assert done.code == 2 and "Traceback" in done.stderr


class TestFailures:
    def test_one_bad_rhythm_and_one_bad_sound_do_not_stop_the_others(self, loopnet, tmp_path):
        (tmp_path / "bad.mid").write_bytes(b"nothing")
        words = ("-r", "bad.mid", "-r", "a.wav", "-t", "silent.wav", "-t", "b.wav", "-t", "warm-808")
        done = loopnet("transfer", *words, "--out-dir", "o", "--seed", 1)
        assert done.code == 1 and names(tmp_path / "o") == {"a_b_1.wav", "a_warm-808_1.wav"}
        errors = [line for line in done.stderr.splitlines() if line.startswith("loopnet: error: ")]
        assert len(errors) == 2 and "bad.mid" in errors[0] and "silent.wav" in errors[1]
        assert done.stderr.splitlines()[-1] == "2 loops written, 4 failed"

    def test_a_rhythm_that_fails_while_names_are_made(self, loopnet, tmp_path):
        words = ("-r", "silent.wav", "-r", "a.wav", "-t", "b.wav", "-t", "warm-808", "--name", "{bpm}_{timbre}")
        done = loopnet("transfer", *words)
        done.refused(1, "silent.wav")
        assert {"120_b.wav", "120_warm-808.wav"} <= names(tmp_path)
        assert done.stderr.splitlines()[-1] == "2 loops written, 2 failed"

    def test_nothing_is_heard(self, loopnet, tmp_path):
        hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(44100) / 44100 + 1.5)
        (tmp_path / "hum.wav").write_bytes(encoded((hum * np.linspace(0.9, 1, 44100)).astype(np.float32)))
        before = names(tmp_path)
        loopnet("transfer", "-r", GRID, "-t", "hum.wav", "-o", "o.wav").refused(1, "hum.wav: ", "no sound to take")
        loopnet("transfer", "-r", "hum.wav", "-t", "warm-808", "-o", "o.wav").refused(1, "hum.wav", "no drum hits")
        assert names(tmp_path) == before

    def test_nothing_is_left_alone(self, loopnet, tmp_path):
        done = loopnet("transfer", "-r", "kick: x...", "-t", "warm-808", "-o", "o.wav", "--only", "snare,hat")
        done.refused(1, "error: grid: no snare or hat to be left alone: kick is played")
        assert "o.wav" not in names(tmp_path)

    def test_nothing_is_half_written(self, loopnet, tmp_path, monkeypatch):
        before = names(tmp_path)
        done = loopnet("transfer", "-r", GRID, "-t", "warm-808", "-o", "o.wav", "--stems", "s", "--plot", "no/p.png")
        done.refused(1, "no/p.png", "does not exist")
        assert names(tmp_path) == before

    def test_a_kit_of_ones_own_that_is_damaged(self, loopnet, own_kits, tmp_path):
        own_kits.mkdir(parents=True)
        (own_kits / "mine.json").write_text("{")
        loopnet("transfer", "-r", GRID, "-t", "mine", "-o", "o.wav").refused(1, "mine.json", "no JSON")

    def test_files_that_are_not_there(self, loopnet):
        loopnet("transfer", "-r", "none.wav", "-t", "b.wav", "-o", "o.wav").refused(1, "none.wav", "No such file")
        loopnet("transfer", "-r", GRID, "-t", "none.wav", "-o", "o.wav").refused(1, "none.wav", "No such file")

    def test_a_part_that_cannot_be(self, loopnet):
        words = ("transfer", "-r", "a.wav", "-t", "b.wav", "-o", "o.wav")
        loopnet(*words, "--rhythm-start", 9).refused(1, "a.wav ends before 9 s")
        loopnet(*words, "--timbre-end", 0.02).refused(1, "b.wav is too short, 20 ms")

    def test_errors_name_the_options_as_they_are_called_here(self, loopnet, monkeypatch):
        def find_section(*_, **__):
            raise UsageError("--bars 3 at --bpm 60 last 12 s, --start 0 leaves less")

        monkeypatch.setattr("loopnet_cli.analysis.section.find_section", find_section)
        done = loopnet("transfer", "-r", "a.wav", "-t", "warm-808", "-o", "o.wav")
        done.refused(1, "error: a.wav: --rhythm-bars 3 at --rhythm-bpm 60 last 12 s, --rhythm-start 0 leaves less")

    def test_chroma_from_silence(self, loopnet):
        words = ("-r", GRID, "-t", "b.wav", "-o", "o.wav", "--chroma-from", "silent.wav")
        loopnet("transfer", *words).refused(1, "silent.wav", "silent")

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (["-t", "warm-809"], ["no file and unknown kit 'warm-809'", "warm-808"]),
            (["-t", "low.depth=.7"], ["--set low.depth=.7"]),
            (["-t", GRID], ["--timbre takes recordings and kits", "--rhythm"]),
            (["-t", "none*.wav"], ["no file matches none*.wav"]),
            (["-r", "none*.wav"], ["no file matches none*.wav"]),
            (["-r", "-", "-t", "-"], ["once only"]),
            (["-t", "warm-808"], ["-o names one file for 2 loops"]),
            (["--amount", 1.5], ["--amount"]),
            (["--own-kit", "warm-808"], ["--own-kit", "--amount below 1"]),
            (["--amount", 0.5, "--own-kit", "warm-809"], ["warm-809", "did you mean"]),
            (["--only", "snares"], ["--only", "snares"]),
            (["--only", ","], ["--only"]),
            (["--chroma", "Am", "--chroma-from", "b.wav"], ["--chroma and --chroma-from"]),
            (["--chroma", "Hx"], ["Hx"]),
            (["--chroma-from", "warm-809"], ["--chroma-from", "warm-809"]),
            (["--chroma-from", "*.wav"], ["--chroma-from *.wav names 3 files"]),
            (["--strength", 0.5], ["--quantize 16"]),
            (["--quantize", 5], ["5 steps"]),
            (["--rhythm-start", 2, "--rhythm-end", 1], ["--rhythm-end 1 must lie after"]),
            (["--timbre-start", 2, "--timbre-end", 2], ["--timbre-end 2 must lie after"]),
            (["--set", "low.dept=.5"], ["--set", "did you mean low.depth"]),
            (["--brightness", "2"], ["--brightness 2"]),
            (["--map", "rolnad"], ["--map"]),
            (["--meter", "7"], ["--meter"]),
            (["--plot", "p.gif"], ["--plot p.gif"]),
            (["--out-dir", "x"], ["-o", "--out-dir"]),
            (["--overwrite", "--skip-existing"], ["--overwrite", "--skip-existing"]),
            (["--format", "flac"], ["--format flac"]),
        ],
        ids=lambda value: " ".join(map(str, value))[:40] if value and str(value[0]).startswith("-") else None,
    )
    def test_flags_that_make_no_sense(self, loopnet, studio, tmp_path, words, parts):
        before = names(tmp_path)
        loopnet("transfer", "-r", "a.wav", "-t", "b.wav", "-o", "o.wav", *words).refused(2, *parts)
        assert names(tmp_path) == before and studio.loaded == 0

    def test_what_is_told_to_nobody(self, loopnet):
        words = ("-r", GRID, "-t", "warm-808", "-o", "o.wav")
        loopnet("transfer", *words, "--rhythm-bpm", 90).refused(2, "--rhythm-bpm is about recordings, and grid is none")
        loopnet("transfer", *words, "--timbre-end", 1).refused(2, "--timbre-end is about recordings")

    def test_names_that_make_no_sense_are_found_before_anything_is_heard(self, loopnet, ears):
        words = ("-r", "a.wav", "-t", "b.wav", "-t", "warm-808")
        loopnet("transfer", *words, "--name", "{bpm}{sed}").refused(2, "did you mean {seed}")
        loopnet("transfer", *words, "--name", "x_{rhythm}").refused(2, "two files", "{timbre}")
        assert ears.loaded == 0

    def test_an_input_is_not_written_over(self, loopnet, tmp_path):
        before = (tmp_path / "b.wav").read_bytes()
        for rhythm, timbre in (("a.wav", "b.wav"), ("b.wav", "warm-808")):
            words = ("-r", rhythm, "-t", timbre, "-o", "b.wav", "--overwrite")
            loopnet("transfer", *words).refused(2, "b.wav is an input")
        words = ("-r", GRID, "-t", "warm-808", "--chroma-from", "b.wav", "-o", "b.wav", "--overwrite")
        loopnet("transfer", *words).refused(2, "b.wav is an input")
        assert (tmp_path / "b.wav").read_bytes() == before

    def test_both_are_needed(self, loopnet):
        loopnet("transfer", "-t", "warm-808", "-o", "o.wav").refused(2, "--rhythm")
        loopnet("transfer", "-r", GRID, "-o", "o.wav").refused(2, "--timbre")
