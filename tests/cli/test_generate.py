"""``loopnet generate`` as a user meets it: each flag, alone and where it matters with others."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from fake_studio import GRID, beat, names

from loopnet_cli.audio import levels
from loopnet_cli.audio.write import encode_loop, read_loop_metadata
from loopnet_cli.cli import produce
from loopnet_cli.cli.knobs import parse_knob
from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.pattern import Hit, Pattern
from loopnet_cli.pattern.write import write_midi

REAL_ANALYSE = produce.analyse


class TestInputs:
    def test_a_midi_file(self, loopnet, studio, midi, tmp_path):
        done = loopnet("generate", midi, "-o", "loop.wav")
        assert done.code == 0 and done.stdout == ""
        audio, rate = soundfile.read(tmp_path / "loop.wav")
        assert rate == 44100 and audio.shape == (88200,)
        assert studio.calls[0]["pattern"].hits[0].voice == "kick"

    def test_a_grid_as_argument_and_as_file(self, loopnet, studio, tmp_path):
        assert loopnet("generate", GRID, "-o", "a.wav", "--seed", 1).code == 0
        (tmp_path / "b.grid").write_text(GRID)
        assert loopnet("generate", "b.grid", "-o", "b.wav", "--seed", 1).code == 0
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    def test_midi_on_stdin(self, loopnet, midi, tmp_path):
        content = midi.read_bytes()
        assert loopnet("generate", "-", "--seed", 5, input=content).code == 0
        assert "stdin_tight-studio_5.wav" in names(tmp_path)

    def test_many_files_and_quoted_globs_load_the_model_once(self, loopnet, studio, tmp_path):
        for name in ("a.mid", "b.mid", "sub/c.mid"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            write_midi(beat(), tmp_path / name)
        done = loopnet("generate", "*.mid", "sub/c.mid", "--seed", 1, "--name", "{stem}")
        assert done.code == 0
        assert {"a.wav", "b.wav", "c.wav"} <= names(tmp_path)
        assert studio.loaded == 1
        assert done.stderr.splitlines()[-1] == "3 loops written"

    def test_warnings_of_the_reader_are_passed_on(self, loopnet, tmp_path, monkeypatch):
        from loopnet_cli.pattern.midi import MidiPattern

        found = MidiPattern(beat(), {}, ("2 of 5 notes have no voice: 99 twice",))
        monkeypatch.setattr("loopnet_cli.cli.loops.read_pattern", lambda source, **how: found)
        done = loopnet("generate", "x.mid", "-o", "a.wav", "--json")
        assert "loopnet: warning: x.mid: 2 of 5 notes have no voice" in done.stderr
        assert done.loops[0]["warnings"] == ["2 of 5 notes have no voice: 99 twice"]


class TestNames:
    def test_default_name_in_the_current_folder(self, loopnet, midi, tmp_path):
        assert loopnet("generate", midi, "--seed", 3).code == 0
        assert names(tmp_path) == {"beat.mid", "beat_tight-studio_3.wav"}

    def test_out_dir_is_made_and_the_template_filled(self, loopnet, midi, tmp_path):
        done = loopnet(
            "generate", midi, "--out-dir", "x/y", "--kit", "warm-808",
            "--name", "{kit}-{model}-{bpm}-{bars}-{meter}-{variation}-{seed:03}.flac",
            "--seed", 7, "--bpm", 96.5,
        )  # fmt: skip
        assert done.code == 0
        assert names(tmp_path / "x") == {"y/warm-808-studio-96.5-1-4-4-1-007.flac"}

    def test_stdout_carries_the_file_and_nothing_else(self, loopnet, midi, tmp_path):
        assert loopnet("generate", midi, "-o", "a.wav", "--seed", 9).code == 0
        done = loopnet("generate", midi, "-o", "-", "--seed", 9)
        assert done.stdout_bytes == (tmp_path / "a.wav").read_bytes()
        flac = loopnet("generate", midi, "-o", "-", "--seed", 9, "--format", "flac").stdout_bytes
        assert soundfile.read(io.BytesIO(flac))[0].shape == (88200,)
        assert names(tmp_path) == {"beat.mid", "a.wav"}

    @pytest.mark.parametrize("words", [("-o", "a.flac"), ("-o", "a", "--format", "flac")])
    def test_flac(self, loopnet, midi, tmp_path, words):
        assert loopnet("generate", midi, *words).code == 0
        assert soundfile.info(tmp_path / words[1]).format == "FLAC"

    def test_existing_files_are_left_unless_said_otherwise(self, loopnet, midi, tmp_path):
        (tmp_path / "a.wav").write_text("mine")
        loopnet("generate", midi, "-o", "a.wav").refused(1, "a.wav exists", "--overwrite", "--skip-existing")
        assert (tmp_path / "a.wav").read_text() == "mine"
        skipped = loopnet("generate", midi, "-o", "a.wav", "--skip-existing")
        assert skipped.code == 0 and "1 skipped" in skipped.stderr
        assert (tmp_path / "a.wav").read_text() == "mine"
        assert loopnet("generate", midi, "-o", "a.wav", "--overwrite").code == 0
        assert soundfile.info(tmp_path / "a.wav").frames == 88200

    def test_skipping_all_does_not_load_the_model(self, loopnet, studio, midi, tmp_path):
        (tmp_path / "a.wav").touch()
        loopnet("generate", midi, "-o", "a.wav", "--skip-existing")
        assert studio.loaded == 0

    def test_existing_stems_count_too(self, loopnet, midi, tmp_path):
        (tmp_path / "a_kick.wav").write_text("mine")
        loopnet("generate", midi, "-o", "a.wav", "--stems", ".").refused(1, "a_kick.wav exists")
        assert names(tmp_path) == {"beat.mid", "a_kick.wav"}


class TestRhythm:
    def test_tempo_bars_and_meter(self, loopnet, studio, midi, tmp_path):
        assert loopnet("generate", midi, "-o", "a.wav", "--bpm", 97, "--bars", 3).code == 0
        assert soundfile.info(tmp_path / "a.wav").frames == round(60 / 97 * 12 * 44100)
        assert loopnet("generate", "kick: x......", "-o", "b.wav", "--meter", "7/8").code == 0
        assert studio.calls[1]["pattern"].meter == (7, 8)

    def test_map(self, loopnet, studio, midi, tmp_path):
        (tmp_path / "map.toml").write_text('base = "none"\n36 = "tom"\n')
        assert loopnet("generate", midi, "-o", "a.wav", "--map", "map.toml").code == 0
        assert studio.calls[0]["pattern"].voices == ("tom",)
        assert loopnet("generate", midi, "-o", "b.wav", "--map", "roland").code == 0


class TestSound:
    def test_seed_reproduces_the_bytes_and_another_does_not(self, loopnet, midi, tmp_path):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            assert loopnet("generate", midi, "-o", f"{name}.wav", "--seed", seed, "--subtype", "float").code == 0
        a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
        assert a == b != c

    def test_a_random_seed_is_told_and_stored_and_makes_the_file_again(self, loopnet, studio, midi, tmp_path):
        done = loopnet("generate", midi, "-o", "a.wav")
        seed = read_loop_metadata(tmp_path / "a.wav").settings["seed"]
        assert f"seed {seed}" in done.stderr
        assert loopnet("generate", midi, "-o", "b.wav", "--seed", seed).code == 0
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
        for n in range(3):
            loopnet("generate", midi, "-o", f"r{n}.wav")
        assert len({call["seed"] for call in studio.calls}) == 4

    def test_variations_count_the_seed_up(self, loopnet, studio, midi, tmp_path):
        assert loopnet("generate", midi, "--variations", 3, "--seed", 10).code == 0
        assert [call["seed"] for call in studio.calls] == [10, 11, 12]
        assert {f"beat_tight-studio_{seed}.wav" for seed in (10, 11, 12)} <= names(tmp_path)
        assert len({(tmp_path / f"beat_tight-studio_{seed}.wav").read_bytes() for seed in (10, 11, 12)}) == 3

    def test_kit_timbre_and_chroma_reach_the_model(self, loopnet, studio, midi):
        words = ["--kit", "warm-808", "--timbre", "low.depth=.7", "--timbre", "warmth=+.2", "--chroma", "Am"]
        assert loopnet("generate", midi, "-o", "a.wav", *words).code == 0
        call = studio.calls[0]
        assert call["kit"].name == "warm-808"
        assert call["timbre"]["low.depth"].value == 0.7 and call["timbre"]["high.warmth"].relative
        assert [name for name, value in zip(PITCH_CLASSES, call["chroma"], strict=True) if value] == ["C", "E", "A"]

    def test_refine_reaches_the_model_and_says_when_it_is_idle(self, loopnet, studio, midi):
        assert loopnet("generate", midi, "-o", "a.wav", "--warmth", ".7", "--refine", 3).code == 0
        assert [call["refine"] for call in studio.calls] == [3]
        done = loopnet("generate", midi, "-o", "b.wav", "--refine", 3)
        assert done.code == 0 and "--refine has nothing to do: no knob is set" in done.stderr
        loopnet("generate", midi, "-o", "b.wav", "--warmth", ".7", "--refine", 17).refused(2, "--refine", "16")
        loopnet("generate", midi, "-o", "b.wav", "--warmth", ".7", "--refine", 3, "--model", "multi").refused(
            2, "--refine", "studio"
        )

    def test_the_default_kit(self, loopnet, studio, midi):
        loopnet("generate", midi, "-o", "a.wav")
        assert studio.calls[0]["kit"].name == "tight-studio"


class TestAudio:
    @pytest.mark.parametrize(("subtype", "stored"), [("16", "PCM_16"), ("24", "PCM_24"), ("float", "FLOAT")])
    def test_subtype(self, loopnet, midi, tmp_path, subtype, stored):
        assert loopnet("generate", midi, "-o", "a.wav", "--subtype", subtype).code == 0
        assert soundfile.info(tmp_path / "a.wav").subtype == stored

    @pytest.mark.parametrize("rate", [22050, 48000, 96000])
    def test_sample_rate_gives_the_exact_length(self, loopnet, midi, tmp_path, rate):
        words = ("--sample-rate", rate, "--bpm", 97, "--stems", "s")
        assert loopnet("generate", midi, "-o", "a.wav", *words).code == 0
        info = soundfile.info(tmp_path / "a.wav")
        assert (info.samplerate, info.frames) == (rate, round(60 / 97 * 4 * rate))
        assert soundfile.info(tmp_path / "s" / "a_kick.wav").frames == info.frames

    def test_repeat_is_the_same_turn_again(self, loopnet, midi, tmp_path):
        for name, repeat in (("one", 1), ("three", 3)):
            loopnet("generate", midi, "-o", f"{name}.wav", "--repeat", repeat, "--seed", 1)
        one, _ = soundfile.read(tmp_path / "one.wav")
        three, _ = soundfile.read(tmp_path / "three.wav")
        np.testing.assert_array_equal(three, np.tile(one, 3))
        found = read_loop_metadata(tmp_path / "three.wav")
        assert found.beats == 12 and found.loop_points == (0, 3 * 88200 - 1)

    def test_stems_sum_to_the_loop(self, loopnet, midi, tmp_path):
        words = ("--stems", "parts", "--subtype", "float", "--normalize", "lufs:-20")
        assert loopnet("generate", midi, "-o", "a.wav", *words).code == 0
        assert names(tmp_path / "parts") == {"a_kick.wav", "a_snare.wav", "a_hat.wav", "a_rest.wav"}
        total = sum(soundfile.read(tmp_path / "parts" / name)[0] for name in names(tmp_path / "parts"))
        np.testing.assert_allclose(total, soundfile.read(tmp_path / "a.wav")[0], atol=1e-6)
        assert read_loop_metadata(tmp_path / "parts" / "a_hat.wav").settings["stem"] == "hat"

    def test_normalize(self, loopnet, studio, midi, tmp_path):
        def made(*words):
            assert loopnet("generate", midi, "-o", "a.wav", "--overwrite", "--subtype", "float", *words).code == 0
            return soundfile.read(tmp_path / "a.wav", dtype="float32")[0]

        assert levels.true_peak_db(made()) == pytest.approx(-1, abs=0.01)
        assert levels.true_peak_db(made("--normalize", "peak:-6")) == pytest.approx(-6, abs=0.01)
        assert levels.loudness(made("--normalize", "lufs:-25"), 44100) == pytest.approx(-25, abs=0.01)
        plain = made("--normalize", "none", "--seed", "1")
        np.testing.assert_array_equal(plain, studio.render(**studio.calls[-1]).audio)

    def test_clipping_is_told(self, loopnet, studio, midi):
        studio.level = 3.0
        done = loopnet("generate", midi, "-o", "a.wav", "--normalize", "none", "--json")
        assert "samples clipped" in done.stderr
        assert done.loops[0]["clipped"] > 0 and done.loops[0]["peak"] > 1
        quiet = loopnet("generate", midi, "-o", "b.wav", "--normalize", "none", "--subtype", "float")
        assert "clipped" not in quiet.stderr

    def test_a_stem_that_clips_though_the_loop_does_not_is_told(self, loopnet, studio, midi, monkeypatch):
        real = studio.render

        def cancelling(*args, **words):
            loop = real(*args, **words)
            more = np.float32(1.5) * np.ones_like(loop.audio)
            stems = {**loop.stems, "kick": loop.stems["kick"] + more, "rest": loop.stems["rest"] - more}
            return replace(loop, stems=stems)

        monkeypatch.setattr(studio, "render", cancelling)
        words = ("--stems", "s", "--normalize", "peak")
        assert "the kick stem alone passes full scale" in loopnet("generate", midi, "-o", "a.wav", *words).stderr
        quiet = loopnet("generate", midi, "-o", "b.wav", *words, "--subtype", "float")
        assert "full scale" not in quiet.stderr


class TestMetadata:
    def test_the_settings_in_the_file_are_enough_to_make_it_again(self, loopnet, studio, midi, tmp_path):
        words = ("--kit", "warm-808", "--warmth", "+.2", "--chroma", "Am", "--repeat", 2, "--bpm", 97.3)
        assert loopnet("generate", midi, "-o", "a.wav", "--normalize", "lufs:-30", *words).code == 0
        told = read_loop_metadata(tmp_path / "a.wav").settings
        pattern = Pattern(
            tuple(Hit(*hit) for hit in told["pattern"]), told["pattern_bars"], tuple(told["meter"]), told["tempo"]
        )
        knobs = {name: parse_knob(text, name) for name, text in told["timbre"].items()}
        sound = produce.Sound(studio.kit(told["kit"]), knobs, tuple(told["chroma"]))
        mode, target = levels.parse_normalize(told["normalize"])
        finish = produce.Finish(told["sample_rate"], mode, target, told["repeat"])
        again = produce.make(studio, pattern, sound, told["seed"], finish)
        assert studio.calls[0] == studio.calls[1]
        assert encode_loop(again.loop) == (tmp_path / "a.wav").read_bytes()

    def test_the_wav_tells_tempo_meter_and_how_to_make_it_again(self, loopnet, tmp_path):
        words = ("--seed", 77, "--kit", "dusty-vinyl", "--low-depth", "+.2", "--warmth", ".7")
        done = loopnet("generate", "bpm=93 meter=6/8\nkick: x.....x.....", "--bars", 2, "-o", "a.wav", *words)
        assert done.code == 0
        content = (tmp_path / "a.wav").read_bytes()
        at = content.index(b"acid") + 8
        beats, denominator, numerator, tempo = struct.unpack("<IHHf", content[at + 12 : at + 24])
        assert (beats, numerator, denominator, tempo) == (6, 6, 8, 93.0)
        settings = read_loop_metadata(tmp_path / "a.wav").settings
        assert settings["seed"] == 77 and settings["kit"] == "dusty-vinyl"
        assert settings["timbre"]["low.depth"] == "+0.2" and settings["timbre"]["mid.warmth"] == "0.7"
        assert settings["pattern"][0] == [0.0, "kick", 0.8]
        assert settings["pattern_bars"] == 2 and settings["meter"] == [6, 8]

    def test_the_file_does_not_tell_where_it_was_made(self, loopnet, midi, tmp_path):
        loopnet("generate", midi, "-o", tmp_path / "a.wav")
        assert str(tmp_path).encode() not in (tmp_path / "a.wav").read_bytes()


class TestReport:
    def test_json(self, loopnet, midi, tmp_path):
        done = loopnet(
            "generate", midi, "--out-dir", "o", "--variations", 2, "--seed", 4, "--json", "--stems", "s",
            "--plot", "{seed}.png", "--repeat", 2, "--low-depth", ".9", "--bpm", 100,
        )  # fmt: skip
        assert done.code == 0 and len(done.loops) == 2
        loop = done.loops[1]
        audio, _ = soundfile.read(tmp_path / loop["path"], dtype="float32")
        assert loop["seed"] == 5 and loop["bpm"] == 100 and loop["bars"] == 2 and loop["meter"] == "4/4"
        assert loop["samples"] == len(audio) == 2 * 105840 and loop["sample_rate"] == 44100
        assert loop["seconds"] == pytest.approx(4.8)
        assert loop["peak"] == pytest.approx(np.abs(audio).max(), abs=1e-4)
        assert loop["true_peak_db"] == pytest.approx(levels.true_peak_db(audio), abs=0.02)
        assert loop["loudness_lufs"] == pytest.approx(levels.loudness(audio, 44100), abs=0.1)
        assert loop["clipped"] == 0 and loop["warnings"] == []
        assert set(loop["stems"]) == {"kick", "snare", "hat", "rest"}
        assert all((tmp_path / path).is_file() for path in [*loop["stems"].values(), loop["plot"]])
        assert loop["controls"]["kit"] == "tight-studio"
        assert loop["controls"]["timbre"]["low.depth"] == {"given": True, "asked": 0.9, "measured": 0.25}
        assert loop["controls"]["timbre"]["mid.depth"] == {"given": False, "asked": 0.5, "measured": 0.25}
        assert loop["controls"]["chroma"]["asked"]["C"] == 1 and loop["controls"]["chroma"]["given"] is False

    def test_what_the_model_says_was_asked_is_reported(self, loopnet, studio, midi, monkeypatch):
        real = studio.render
        said = {"timbre_asked": dict.fromkeys(TIMBRE_NAMES, 0.125)}
        monkeypatch.setattr(studio, "render", lambda *a, **k: replace(real(*a, **k), settings=said))
        done = loopnet("generate", midi, "-o", "a.wav", "--json")
        assert done.loops[0]["controls"]["timbre"]["high.warmth"]["asked"] == 0.125

    def test_measures_are_of_the_real_analysis(self, loopnet, midi, monkeypatch):
        pytest.importorskip("essentia")
        monkeypatch.setattr(produce, "analyse", REAL_ANALYSE)
        controls = loopnet("generate", midi, "-o", "a.wav", "--json").loops[0]["controls"]
        assert len({value["measured"] for value in controls["timbre"].values()}) > 15
        assert max(controls["chroma"]["measured"].values()) > 0

    def test_nothing_is_measured_unless_needed(self, loopnet, midi, monkeypatch):
        def never(model, loop):
            raise AssertionError("analysed")

        monkeypatch.setattr(produce, "analyse", never)
        assert loopnet("generate", midi, "-o", "a.wav").code == 0

    def test_a_loop_that_cannot_be_analysed_is_written_all_the_same(self, loopnet, midi, tmp_path, monkeypatch):
        from loopnet_cli.errors import AudioError

        def silent(model, loop):
            raise AudioError("it is silent")

        monkeypatch.setattr(produce, "analyse", silent)
        done = loopnet("generate", midi, "-o", "a.wav", "--json", "--plot", "a.png")
        assert done.code == 0 and names(tmp_path) == {"beat.mid", "a.wav", "a.png"}
        assert done.loops[0]["controls"]["timbre"]["low.depth"]["measured"] is None
        assert "not measured: it is silent" in done.loops[0]["warnings"]

    def test_the_line_on_stderr(self, loopnet, midi):
        line = loopnet("generate", midi, "-o", "a.wav", "--seed", 8).stderr
        assert line.startswith("a.wav: 1 bar of 4/4 at 120 BPM, 2.000 s, kit tight-studio, seed 8, ")
        assert line.count("\n") == 1 and "\x1b" not in line

    def test_quiet_leaves_errors_alone(self, loopnet, midi):
        assert loopnet("generate", midi, "-o", "a.wav", "-q").stderr == ""
        loopnet("generate", "none.mid", "-o", "b.wav", "--quiet").refused(1, "none.mid")

    def test_plot(self, loopnet, midi, tmp_path):
        assert loopnet("generate", midi, "-o", "a.wav", "--plot", "a.png").code == 0
        assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"

    def test_json_lines_are_json(self, loopnet, midi):
        done = loopnet("generate", midi, "-o", "a.wav", "--json")
        assert json.loads(done.stdout)["path"] == "a.wav"
