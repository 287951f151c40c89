"""What is in a page, as far as it can be told without a browser."""

from __future__ import annotations

import hashlib
import io
import re
import sys
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
import soundfile

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.pattern.model import VOICES
from loopnet_cli.report import Clip, Knobs, PageBuilder, ReportItem, check_report, item_from_file, write_report
from loopnet_cli.report import page as pages
from loopnet_cli.report.encode import COLUMNS, link_to, picture

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from loops import HOSTILE, RATE, Page, item, knobs, loop_file, pattern, tone


@pytest.fixture
def written(tmp_path):
    """Write a page and read it as a browser would."""

    def write(*items: ReportItem, title: str = "loops", **how) -> Page:
        write_report(tmp_path / "page.html", items, title=title, overwrite=True, **how)
        return Page(tmp_path / "page.html")

    return write


class TestAudio:
    @pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (48000, 2), (16000, 1), (22050, 1), (96000, 2)])
    def test_held_audio_is_the_loop_sample_by_sample(self, written, rate, channels):
        audio = tone(pattern(), rate=rate)
        audio = audio if channels == 1 else np.stack([audio, audio[::-1]], axis=1)
        page = written(ReportItem("x", Clip("x", audio, rate)))
        found, found_rate = soundfile.read(io.BytesIO(page.audio(0)), dtype="float32")
        assert (found_rate, found.shape) == (rate, audio.shape)
        assert np.abs(found - audio).max() <= 2**-15
        assert page.data["clips"][0]["samples"] == len(audio)

    def test_a_file_is_held_too_and_linked(self, written, tmp_path):
        page = written(item_from_file(loop_file(tmp_path / "my loops" / "a b#1%.wav")))
        stored = page.data["clips"][0]["file"]
        assert stored == {"name": "a b#1%.wav", "href": "./my%20loops/a%20b%231%25.wav"}
        original, _ = soundfile.read(tmp_path / "my loops" / "a b#1%.wav", dtype="float32")
        held, _ = soundfile.read(io.BytesIO(page.audio(0)), dtype="float32")
        assert held.shape == original.shape and np.abs(held - original).max() <= 2**-15

    def test_linked_audio_is_not_held(self, written, tmp_path):
        linked = written(item_from_file(loop_file(tmp_path / "a.wav")), audio="link")
        assert linked.of("audio")[0]["src"] == "./a.wav"
        assert len(linked.content) < 120_000
        assert "file:" in linked.policy
        held = written(item_from_file(tmp_path / "a.wav"))
        assert "file:" not in held.policy and "'self'" not in held.policy

    def test_what_has_no_file_is_held_in_any_case(self, written):
        page = written(item(), audio="link")
        assert len(page.audio(0)) > 1000 and not page.data["clips"][0]["linked"]

    def test_an_input_of_many_loops_is_held_once(self, written):
        rhythm = Clip("beat.wav", tone(pattern(), 300.0), RATE, role="rhythm")
        page = written(item("a", inputs=(rhythm,)), item("b", inputs=(rhythm,)))
        assert len(page.of("audio")) == 3
        assert page.data["items"][0]["inputs"] == page.data["items"][1]["inputs"] == [1]
        assert page.data["clips"][1]["role"] == "rhythm"

    def test_long_recordings_are_cut_and_it_is_said(self, written):
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, 130 * 8000).astype(np.float32)
        page = written(item("a", inputs=(Clip("long", noise, 8000),)))
        assert page.data["clips"][1]["samples"] == 120 * 8000 and page.data["clips"][1]["cut"]
        assert not page.data["clips"][0]["cut"]

    def test_a_full_page_links_the_rest(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pages, "MAX_EMBEDDED", 100_000)
        files = [loop_file(tmp_path / f"{number}.wav", number) for number in (1, 2, 3, 4)]
        done = write_report(tmp_path / "p.html", map(item_from_file, files), title="x")
        linked = [clip["linked"] for clip in Page(tmp_path / "p.html").data["clips"]]
        assert linked[0] is False and linked[-1] is True
        assert any("linked, not held" in warning for warning in done.warnings)

    def test_a_big_page_is_told_of(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pages, "BIG_BYTES", 50_000)
        done = write_report(tmp_path / "p.html", [item()], title="x")
        assert len(done.warnings) == 1 and "--report-audio link" in done.warnings[0]
        assert done.size == (tmp_path / "p.html").stat().st_size > 50_000

    def test_silence_and_values_that_are_no_numbers(self, written):
        broken = np.full(5000, np.nan, np.float32)
        page = written(item("a"), ReportItem("b", Clip("b", np.zeros(5000, np.float32), RATE)),
                       ReportItem("c", Clip("c", broken, RATE)))  # fmt: skip
        assert [clip["lufs"] for clip in page.data["clips"][1:]] == [-120.0, -120.0]


class TestContent:
    def test_knobs_pattern_and_settings_of_a_file(self, written, tmp_path):
        path = loop_file(tmp_path / "a.wav", 5)
        page = written(item_from_file(path, measured=dict.fromkeys(TIMBRE_NAMES, 0.9)))
        (found,) = page.data["items"]
        assert [row[0] for row in found["knobs"]] == list(TIMBRE_NAMES)
        assert found["knobs"][1] == ["low.depth", 0.4, 0.9, True]
        assert [row[0] for row in found["knobs"] if row[3]] == ["low.depth"]
        settings = dict(found["settings"])
        assert settings["kit"] == "warm-808" and settings["seed"] == "5" and settings["knobs set"] == "low.depth 0.7"
        clip = page.data["clips"][0]
        assert (clip["tempo"], clip["meter"], clip["bars"]) == (120.0, [4, 4], 1)
        hits = [(beat, VOICES[voice], velocity) for beat, voice, velocity in clip["pattern"]["hits"]]
        assert hits == [(hit.beat, hit.voice, hit.velocity) for hit in pattern().hits]

    def test_knobs_are_measured_as_the_command_line_does(self, tmp_path):
        from loopnet_cli.analysis.timbre import timbre_features
        from loopnet_cli.synthesis.bank import read_normalisation

        path = loop_file(tmp_path / "a.wav")
        units = read_normalisation()
        measured = item_from_file(path, normalisation=units).knobs.measured
        direct = units.to_unit(timbre_features(tone(pattern(), 110.0), RATE))
        assert set(measured) == set(TIMBRE_NAMES)
        assert max(abs(measured[name] - direct[name]) for name in TIMBRE_NAMES) < 0.05
        assert item_from_file(path).knobs.measured == {}

    def test_axes_and_failures(self, written):
        failed = ReportItem("bad", None, error="no such kit", axes={"kit": "x", "brightness": 1.0})
        page = written(item("good", axes={"kit": "a", "brightness": 0.25}), failed)
        assert [entry["axes"] for entry in page.data["items"]] == [
            {"kit": "a", "brightness": 0.25},
            {"kit": "x", "brightness": 1.0},
        ]
        assert page.data["items"][1]["clip"] is None and page.data["items"][1]["error"] == "no such kit"

    def test_a_loop_whose_file_is_gone_is_shown_as_failed(self, tmp_path):
        gone = item_from_file(loop_file(tmp_path / "a.wav"))
        (tmp_path / "a.wav").unlink()
        done = write_report(tmp_path / "p.html", [gone, item()], title="x")
        assert (done.loops, done.failed) == (1, 1)
        assert "a.wav" in Page(tmp_path / "p.html").data["items"][0]["error"]

    def test_an_input_that_cannot_be_read_is_left_out_and_told(self, tmp_path):
        done = write_report(tmp_path / "p.html", [item(inputs=(Clip("gone", path=tmp_path / "no.wav"),))], title="x")
        assert Page(tmp_path / "p.html").data["items"][0]["inputs"] == []
        assert len(done.warnings) == 1 and "gone" in done.warnings[0]

    def test_settings_of_hostile_files(self, written, tmp_path):
        wrong = {
            "pattern": [[1e999, "kick", 1], "x", None], "pattern_bars": "many", "timbre_asked": [1, 2], "timbre": "x",
            "repeat": -3, "kit": {"a": {"b": ["<b>", 1.5, None]}}, "chroma": [float("inf")] * 12,
        }  # fmt: skip
        page = written(item_from_file(loop_file(tmp_path / "a.wav", **wrong)))
        assert page.data["clips"][0]["pattern"] is None and page.data["items"][0]["knobs"] is None
        assert dict(page.data["items"][0]["settings"])["kit.a.b"] == "<b>, 1.5, None"

    @pytest.mark.parametrize("tempo", [float("nan"), float("inf"), -1.0, 0.0, 1e30])
    def test_a_tempo_that_is_none(self, written, tempo):
        clip = Clip("x", tone(pattern()), RATE, tempo=tempo, meter=(0, 4), bars=10**400)
        assert [written(ReportItem("x", clip)).data["clips"][0][key] for key in ("meter", "bars")] == [None, None]

    def test_knobs_that_are_no_numbers(self, written):
        odd = Knobs({"low.depth": float("nan"), "mid.depth": 0.5}, {"low.depth": float("inf")})
        rows = written(ReportItem("x", item().clip, odd)).data["items"][0]["knobs"]
        assert rows[TIMBRE_NAMES.index("low.depth")][1:3] == [None, None]

    def test_the_small_picture(self):
        loop = np.zeros(44100)
        loop[:22050] = 0.5 * np.sin(2 * np.pi * 60 * np.arange(22050) / RATE)
        loop[22050:] = 0.25 * np.sin(2 * np.pi * 9000 * np.arange(22050) / RATE)
        found = picture(loop, RATE)
        assert found.shape == (COLUMNS, 4)
        low, high = found[:, 0].view(np.int8), found[:, 1].view(np.int8)
        assert high[20 : COLUMNS // 2 - 4].max() == 63 and low.min() == -63
        assert set(high[COLUMNS // 2 + 4 :]) <= {31, 32}
        # low bands where the deep tone is, high ones where the high tone is
        assert (found[10:150, 2] > 200).all() and (found[170:310, 3] > 200).all()


class TestNothingBreaks:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_names_are_text(self, written, name):
        hostile = ReportItem(
            name, Clip(name, item().clip.audio, RATE), knobs(), {name: name}, axes={name: name}, error=name
        )
        calm, page = written(item()), written(hostile, title=name, note=name)
        # no name adds an element or an attribute
        assert [(tag, sorted(attributes)) for tag, attributes in page.elements] == [
            (tag, sorted(attributes)) for tag, attributes in calm.elements
        ]
        shown = page.data["items"][0]["name"]
        assert len(shown) <= 300 and shown.isprintable()
        if len(name) < 100 and name.isprintable():
            assert shown == name == page.texts["title"][0]

    def test_file_names_stay_addresses_of_files(self, tmp_path):
        page = tmp_path / "pages" / "p.html"
        for name in ("javascript:alert(1)", 'a"b', "c d", "e#f?g", "h\\i", "\udcff", "..wav"):
            address = link_to(tmp_path / "loops" / name, page)
            assert re.fullmatch(r"\./\.\./loops/[A-Za-z0-9._~%-]+", address), address

    def test_nothing_is_fetched_and_nothing_else_is_run(self, written):
        page = written(item(), item("b"))
        policy = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
        assert policy["default-src"] == policy["connect-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
        script = re.search(rb'<script type="module">(.*?)</script>', page.content, re.S)[1]
        style = re.search(rb"<style>(.*?)</style>", page.content, re.S)[1]
        for name, content in (("script-src", script), ("style-src", style)):
            assert policy[name] == f"'sha256-{b64encode(hashlib.sha256(content).digest()).decode()}'"
        addresses = [
            value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")
        ]
        assert addresses and all(value.startswith(("data:", "#")) for value in addresses)
        assert not any(key.startswith("on") or key == "style" for _, attributes in page.elements for key in attributes)
        assert (
            b"http:" not in re.sub(rb"http://www\.w3\.org/2000/svg", b"", page.content)
            and b"https:" not in page.content
        )

    def test_the_same_loops_give_the_same_bytes(self):
        assert _rendered() == _rendered()

    def test_the_files_of_the_page_fit_together(self):
        script = "".join(map(pages._asset, pages.SCRIPTS))
        assert "</script" not in script and "<!--" not in script and "innerHTML" not in script and "eval(" not in script
        assert "</style" not in pages._asset("page.css")
        markup = pages._asset("page.html")
        ids = set(re.findall(r' id="([\w-]+)"', markup))
        asked = set(re.findall(r'byId\("([\w-]+)"\)', script))
        made = {"search", "sort", "descending", "knob", "least", "most"}
        assert asked - made <= ids
        assert set(re.findall(r"#i-(\w+)", markup + script)) <= {name[2:] for name in ids if name.startswith("i-")}


def _rendered() -> bytes:
    builder = PageBuilder("p.html")
    builder.add(item())
    return builder.render("x")


class TestWriting:
    def test_an_existing_page_is_kept(self, tmp_path):
        page = tmp_path / "p.html"
        page.write_text("mine")
        with pytest.raises(AudioError, match="exists: use --overwrite"):
            write_report(page, [item()], title="x")
        assert page.read_text() == "mine"
        write_report(page, [item()], title="x", overwrite=True)
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")

    def test_it_is_refused_before_any_loop_is_taken_in(self, tmp_path):
        def never():
            raise AssertionError("taken in")
            yield

        (tmp_path / "p.html").touch()
        for path, error in ((tmp_path / "p.html", AudioError), (tmp_path / "p.png", UsageError)):
            with pytest.raises(error):
                write_report(path, never(), title="x")

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("no/such/p.html", "does not exist"),
            ("d.html", "folder"),
            ("a\0.html", "cannot write"),
            ("x" * 300 + ".html", "cannot write"),
        ],
    )
    def test_what_cannot_be_written(self, tmp_path, name, says):
        (tmp_path / "d.html").mkdir()
        with pytest.raises(AudioError, match=says):
            check_report(tmp_path / name, overwrite=True)

    def test_a_failure_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(PageBuilder, "render", lambda *_: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            write_report(tmp_path / "p.html", [item()], title="x")
        assert list(tmp_path.iterdir()) == []

    def test_loops_are_taken_one_by_one(self, tmp_path):
        alive = []

        def some():
            import weakref

            for number in range(4):
                made = item(str(number), 100.0 + number)
                alive.append(weakref.ref(made.clip))
                yield made
                del made

        builder = PageBuilder(tmp_path / "p.html")
        for made in some():
            builder.add(made)
            del made
        assert len(builder) == 4 and [reference() for reference in alive[:-1]] == [None] * 3
