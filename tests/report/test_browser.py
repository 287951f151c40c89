"""The page in a headless Chromium: it loads alone, plays without a gap, and does what keys and clicks say."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.audio.levels import measure
from loopnet_cli.report import Clip, ReportItem, item_from_file, write_report

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from browser import Tab, chromium
from loops import HOSTILE, RATE, item, knobs, loop_file, pattern, tone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def show(browser, tmp_path):
    """Write a page and open it; what went wrong on it fails the test at its end."""
    tabs: list[Tab] = []

    def open_page(*items: ReportItem, width: int = 1280, audio: str = "embed", title: str = "Loops", **how) -> Tab:
        path = tmp_path / f"page{len(tabs)}.html"
        write_report(path, items, title=title, audio=audio)
        tabs.append(Tab(browser, path, width, **how))
        return tabs[-1]

    yield open_page
    for tab in tabs:
        if not getattr(tab, "excused", False):
            tab.is_clean()
        tab.context.close()


def grid() -> list[ReportItem]:
    """Three by two, not in order, one failed."""
    made = [
        item(f"{kit} {value:g}", 100 + 300 * value, value, axes={"brightness": value, "kit": kit})
        for kit in ("tight", "warm")
        for value in (1.0, 0.0, 0.5)
        if (kit, value) != ("warm", 0.5)
    ]
    failed = ReportItem("warm 0.5", None, error="no such kit", axes={"brightness": 0.5, "kit": "warm"})
    return [*made, failed]


def transfer() -> ReportItem:
    """A loop with a rhythm as long as itself, and a sound that is shorter and at another rate."""
    rhythm = Clip("beat.wav", tone(pattern(), 500.0), RATE, None, pattern(), role="rhythm")
    sound = Clip("pan.wav", tone(pattern(tempo=180.0), 900.0, 48000), 48000, role="sound")
    return item("result", inputs=(rhythm, sound))


class TestSound:
    def test_a_loop_plays_without_a_gap(self, show):
        tab = show(item())
        tab.drawn()
        assert tab.state["context"] is None, "nothing sounds unasked"
        tab.press("Space")
        state = tab.until(lambda now: now["playing"] and now["fraction"] > 0)
        assert state["context"]["state"] == "running" and state["context"]["rate"] == RATE
        assert state["sound"]["loop"] is True
        assert (state["sound"]["samples"], state["sound"]["rate"]) == (pattern().samples(RATE), RATE)
        later = tab.until(lambda now: now["context"]["time"] > state["context"]["time"] + 0.2)
        assert later["fraction"] != state["fraction"]
        tab.press("Space")
        assert tab.state["playing"] is False

    @pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (48000, 2), (16000, 1), (22050, 1), (96000, 1)])
    def test_decoded_samples_are_those_of_the_loop(self, show, rate, channels):
        audio = tone(pattern(), rate=rate)
        both = audio if channels == 1 else np.stack([audio, -audio], axis=1)
        tab = show(ReportItem("x", Clip("x", both, rate)))
        tab.press("Space")
        state = tab.until(lambda now: now["sound"])
        assert (state["sound"]["samples"], state["sound"]["rate"]) == (len(audio), rate)
        for start in (0, len(audio) - 500):
            found = tab.tab.evaluate(f"() => window.loopnet.samples(0, {start}, {start + 500})")
            assert np.abs(np.array(found) - audio[start : start + 500]).max() < 2**-14

    def test_looping_can_be_turned_off_and_the_loop_then_ends(self, show):
        tab = show(item())
        tab.press("Space")
        tab.until(lambda now: now["sound"])
        tab.press("l")
        assert tab.state["sound"]["loop"] is False
        assert tab.tab.get_attribute("#loop", "aria-pressed") == "false"
        tab.until(lambda now: not now["playing"])
        tab.press("Space", "l")
        assert tab.until(lambda now: now["sound"])["sound"]["loop"] is True

    def test_equal_loudness(self, show):
        loud, quiet = tone(pattern()), (0.2 * tone(pattern())).astype(np.float32)
        tab = show(*(ReportItem(name, Clip(name, audio, RATE)) for name, audio in (("loud", loud), ("quiet", quiet))))
        gains = []
        for number in (0, 1):
            tab.press(str(number + 1))
            tab.until(lambda now, number=number: now["sound"] and now["item"] == number)
            tab.tab.wait_for_timeout(150)  # it is faded in
            gains.append(tab.state["sound"]["gain"])
        assert gains[1] / gains[0] == pytest.approx(5, rel=0.02)
        tab.press("e")
        tab.until(lambda now: now["sound"]["gain"] == pytest.approx(1, abs=0.01))

    def test_a_click_on_the_picture_plays_from_there(self, show):
        tab = show(item())
        box = tab.tab.locator("#spectrum").bounding_box()
        tab.tab.mouse.click(box["x"] + 76 + 0.75 * (box["width"] - 76), box["y"] + 20)
        assert 0.7 < tab.until(lambda now: now["sound"])["fraction"] < 0.99
        tab.press("0")
        tab.until(lambda now: now["fraction"] < 0.5)

    def test_linked_loops_play_from_their_files(self, show, tmp_path):
        tab = show(item_from_file(loop_file(tmp_path / "my loop #1.wav")), audio="link")
        tab.excused = True  # it asks for the file
        tab.press("Space")
        tab.until(lambda now: now["playing"] and now["fraction"] > 0)
        assert not tab.tab.locator("#spectrum").is_visible() and tab.tab.locator("#wave").is_visible()
        assert tab.said == [] and {address.rsplit("/", 1)[1] for address in tab.requests[1:]} == {
            "my%20loop%20%231.wav"
        }

    def test_a_linked_loop_that_is_gone_is_told_of(self, show, tmp_path):
        path = loop_file(tmp_path / "a.wav")
        described = item_from_file(path)
        tab = show(described, audio="link")
        tab.excused = True
        path.unlink()
        tab.press("Space")
        tab.until(lambda now: not now["playing"])
        tab.tab.wait_for_selector("#live:has-text('is its file beside this page')", state="attached")


class TestComparing:
    def test_result_and_inputs_by_key(self, show):
        tab = show(transfer())
        tab.press("Space")
        tab.until(lambda now: now["fraction"] > 0.1)
        for key, source, samples, rate in (("a", 1, 88200, 44100), ("b", 2, 64000, 48000), ("r", 0, 88200, 44100)):
            tab.press(key)
            state = tab.until(lambda now, samples=samples: now["sound"] and now["sound"]["samples"] == samples)
            assert state["source"] == source and state["sound"]["rate"] == rate and state["sound"]["loop"]
            pressed = [button.get_attribute("aria-pressed") for button in tab.tab.locator("#sources button").all()]
            assert pressed == ["true" if index == source else "false" for index in range(3)]
        tab.press("x")
        assert tab.state["source"] == 1

    def test_an_input_as_long_goes_on_where_the_result_is(self, show):
        tab = show(transfer())
        tab.press("Space")
        before = tab.until(lambda now: 0.4 < now["fraction"] < 0.6)
        tab.press("a")
        after = tab.until(lambda now: now["source"] == 1 and now["sound"])
        passed = after["context"]["time"] - before["context"]["time"]
        assert (after["fraction"] - before["fraction"]) % 1 == pytest.approx((passed / 2.0) % 1, abs=0.06)

    def test_the_buttons_name_what_is_compared(self, show):
        tab = show(transfer())
        assert tab.tab.locator("#sources").inner_text().split() == [
            "R", "result", "A", "rhythm", "beat.wav", "B", "sound", "pan.wav",
        ]  # fmt: skip


class TestSheet:
    def test_two_sweeps_make_a_matrix(self, show):
        tab = show(*grid())
        assert tab.state["matrix"] is True
        rows = [row.inner_text().split() for row in tab.tab.locator("#matrix tbody th").all()]
        columns = [cell.inner_text() for cell in tab.tab.locator("#matrix thead th").all()][1:]
        assert rows == [["0"], ["0.5"], ["1"]] and columns == ["tight", "warm"]
        assert tab.tab.inner_text("#count") == "6 loops, 1 failed"
        assert tab.tab.locator("#matrix .failed").count() == 1

    def test_arrows_walk_the_matrix(self, show):
        tab = show(*grid())
        tab.press("Home")
        names = []
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End"):
            names.append(tab.tab.inner_text("#name"))
            tab.press(key)
        assert names == ["tight 0", "warm 0", "warm 0.5", "tight 0.5", "tight 0"]
        assert tab.tab.inner_text("#name") == "warm 1"

    def test_a_click_plays_and_stops(self, show):
        tab = show(*grid())
        cell = tab.tab.locator("#matrix button").nth(4)
        cell.click()
        state = tab.until(lambda now: now["sound"])
        assert tab.tab.inner_text("#name") == "tight 1" and state["item"] == 0
        assert cell.get_attribute("aria-pressed") == "true"
        cell.click()
        tab.until(lambda now: not now["playing"])

    def test_a_failed_loop_says_why_and_stops_the_sound(self, show):
        tab = show(*grid())
        tab.press("Space")
        tab.until(lambda now: now["sound"])
        tab.tab.locator("#matrix .failed").click()
        assert "no such kit" in tab.tab.inner_text("#failure") and not tab.state["playing"]
        assert not tab.tab.locator("#scope").is_visible()
        tab.press("Home")
        assert tab.tab.locator("#scope").is_visible()

    def test_sorting_and_filtering(self, show):
        tab = show(*grid())
        tab.tab.locator("#sort").select_option("brightness")
        assert tab.state["matrix"] is False
        values = [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
        brightness = [made.axes["brightness"] for made in grid()]
        assert [brightness[index] for index in tab.state["shown"]] == values
        tab.tab.locator("#descending").click()
        assert [brightness[index] for index in tab.state["shown"]] == values[::-1]
        tab.tab.locator("#axis-1").select_option("warm")
        assert sorted(tab.state["shown"]) == [3, 4, 5]
        tab.tab.locator("#axis-1").select_option("all")
        tab.tab.locator("#knob").select_option("low.depth")
        tab.tab.locator("#least").fill("0.5")
        tab.tab.locator("#most").fill("0.7")
        assert tab.state["shown"] == [2]  # measured 0.6
        tab.tab.locator("#least").fill("5")
        assert tab.state["shown"] == [] and tab.tab.locator("#none").is_visible()

    def test_finding_by_name_takes_letters_not_commands(self, show):
        names = ("alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india")
        tab = show(*map(item, names))
        tab.tab.locator("#search").fill("al")
        tab.tab.locator("#search").press("l")
        assert tab.tab.input_value("#search") == "all" and tab.state["shown"] == []
        tab.tab.locator("#search").fill("f")
        assert tab.state["shown"] == [0, 5, 6]
        tab.tab.locator("#search").blur()
        tab.press("3")
        assert tab.until(lambda now: now["sound"])["item"] == 6

    def test_one_thing_swept_makes_cards(self, show):
        tab = show(*(item(f"take {value}", axes={"seed": value}) for value in (1, 2, 3)))
        assert tab.state["matrix"] is False
        assert tab.tab.locator("#cards .label").all_inner_texts() == ["seed 1", "seed 2", "seed 3"]

    def test_hundreds_of_loops(self, show):
        clip = tone(pattern(tempo=400.0), rate=8000)
        known = measure(clip, 8000)
        loops = [
            ReportItem(f"loop {n}", Clip("x", clip, 8000, levels=known), knobs(n / 300), axes={"n": n})
            for n in range(300)
        ]
        tab = show(*loops)
        assert tab.tab.locator("#cards li").count() == 300
        tab.press("End")
        assert tab.tab.inner_text("#name") == "loop 299"


class TestLooks:
    @pytest.mark.parametrize("make", [lambda: [item("x" * 80)], lambda: [transfer()], grid])
    def test_nothing_sticks_out(self, show, make):
        tab = show(*make())
        for width in (360, 390, 640, 768, 1080, 1280, 1920):
            tab.tab.set_viewport_size({"width": width, "height": 800})
            assert tab.tab.evaluate("() => document.documentElement.scrollWidth") <= width
            assert tab.tab.evaluate("() => document.body.scrollWidth") <= width

    def test_pictures_without_room_are_no_error(self, show):
        tab = show(item())
        for is_hidden in ("true", "false"):
            tab.tab.evaluate(f"() => {{ document.getElementById('deck').hidden = {is_hidden}; }}")
            tab.tab.wait_for_timeout(100)
        assert tab.said == []

    def test_the_pattern_is_drawn_by_voice_time_and_velocity(self, show):
        tab = show(item())
        hits = tab.tab.evaluate(
            """() => [...document.querySelectorAll("#pattern .hit")].map((hit) =>
                [hit.textContent, hit.getAttribute("x"), Number(hit.getAttribute("fill-opacity"))])"""
        )
        assert [hit[0] for hit in hits] == [
            "kick, beat 1, velocity 1.00", "snare, beat 2, velocity 0.80", "hat open, beat 2.75, velocity 0.30",
            "kick, beat 3.5, velocity 0.50",
        ]  # fmt: skip
        assert [hit[1] for hit in hits] == ["0%", "25%", "43.75%", "62.5%"]
        assert hits[0][2] > hits[1][2] > hits[3][2] > hits[2][2]
        names = tab.tab.locator("#pattern .voices li").all_inner_texts()
        assert [name.split("\n")[0] for name in names] == ["kick", "snare", "hat open"]

    def test_pictures_show_what_there_is(self, show):
        tab = show(item())
        tab.drawn()
        for name in ("wave", "spectrum"):
            colours = tab.tab.evaluate(
                f"""() => {{ const canvas = document.getElementById("{name}");
                const pixels = canvas.getContext("2d").getImageData(80, 20, canvas.width - 90, canvas.height - 30).data;
                return new Set(new Uint32Array(pixels.buffer)).size; }}"""
            )
            assert colours > 10, name

    def test_knobs_are_a_table_of_asked_and_measured(self, show):
        tab = show(item(value=0.25))
        assert tab.tab.locator("#knobs tbody tr").count() == 7
        cells = [cell.text_content() for cell in tab.tab.locator("#knobs tbody td").all()]
        assert len(cells) == 21
        assert cells[0] == "asked 0.25→, measured 0.35" and cells[3] == "you asked for 0.25→, measured 0.35"
        assert "1 set, 0.10 off on average" in tab.tab.inner_text("#legend")

    def test_dark_and_light(self, show):
        colours = {}
        for scheme in ("light", "dark"):
            tab = show(item(), color_scheme=scheme)
            background = "() => getComputedStyle(document.documentElement).backgroundColor"
            colours[scheme] = tab.tab.evaluate(background)
            tab.press("t")
            colours[f"not {scheme}"] = tab.tab.evaluate(background)
        assert colours["light"] == colours["not dark"] != colours["dark"] == colours["not light"]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out(self, show, scheme):
        tab = show(*grid(), color_scheme=scheme)
        ratios = tab.tab.evaluate(
            """() => {
                const style = getComputedStyle(document.documentElement);
                const light = (name) => {
                    const value = parseInt(style.getPropertyValue("--" + name).trim().slice(1), 16);
                    const parts = [value >> 16, (value >> 8) & 255, value & 255].map((part) => part / 255)
                        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
                };
                const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
                const found = {};
                for (const ground of ["paper", "panel", "well", "cell"])
                    for (const ink of ["ink", "muted"]) found[ink + " on " + ground] = ratio(ink, ground);
                for (const ink of ["accent", "low", "mid", "high"]) found[ink + " on panel"] = ratio(ink, "panel");
                found["on-accent on accent"] = ratio("on-accent", "accent");
                return found;
            }"""
        )
        # WCAG AA for text
        assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}

    def test_everything_has_a_name_and_can_be_reached(self, show):
        tab = show(*grid(), transfer())
        unnamed = tab.tab.evaluate(
            """() => [...document.querySelectorAll("button, input, select, a, [role=slider], canvas")]
                .filter((one) => one.checkVisibility() && !one.hasAttribute("aria-hidden"))
                .filter((one) => !one.getAttribute("aria-label") && !one.textContent.trim())
                .filter((one) => !one.title && !one.closest("label"))
                .map((one) => one.outerHTML)"""
        )
        assert unnamed == []
        tab.tab.locator("#matrix button").first.focus()
        tab.press("Space")
        tab.until(lambda now: now["sound"])
        assert "Playing" in tab.tab.inner_text("#live")
        tab.tab.locator("#scope").focus()
        before = tab.state["fraction"]
        tab.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
        assert tab.until(lambda now: now["sound"])["fraction"] != before


class TestNothingBreaks:
    def test_hostile_names_are_shown_as_they_are(self, show):
        loops = [
            ReportItem(name, Clip(name, tone(pattern()), RATE, role=name), knobs(), {name: name}, (item(name).clip,),
                       {"x": name, name: index}, name)
            for index, name in enumerate(HOSTILE)
        ]  # fmt: skip
        tab = show(*loops, title=HOSTILE[0])
        assert tab.tab.title() == HOSTILE[0] == tab.tab.inner_text("h1")
        tab.press("1", "ArrowRight", "a")
        for name in HOSTILE[:3]:
            tab.tab.locator("#search").fill(name)
            assert len(tab.state["shown"]) == 1
        assert tab.tab.title() == HOSTILE[0]
        assert tab.tab.locator("main img, main script, main iframe").count() == 0

    def test_the_policy_holds(self, show):
        tab = show(item())
        tab.excused = True
        failed = tab.tab.evaluate(
            """async () => {
                const tries = [() => fetch("https://example.com/"), () => fetch("data:text/plain,x")];
                const results = await Promise.all(tries.map((one) => one().then(() => "went", () => "refused")));
                const script = document.createElement("script");
                script.textContent = "document.title = 'taken'";
                document.head.append(script);
                return results;
            }"""
        )
        assert failed == ["refused", "refused"] and tab.tab.title() == "Loops"

    def test_without_scripts_the_loops_still_play(self, browser, tmp_path):
        write_report(tmp_path / "p.html", [item("one"), item("two")], title="x")
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto((tmp_path / "p.html").as_uri())
        assert tab.locator("#plain audio").count() == 2 and tab.locator("#plain").is_visible()
        assert "one" in tab.inner_text("#plain") and not tab.locator("#deck").is_visible()
        context.close()

    def test_no_loops(self, show):
        tab = show()
        assert tab.tab.inner_text("h1") == "Loops"

    def test_saving_what_is_held(self, show, tmp_path):
        tab = show(item("my loop"))
        with tab.tab.expect_download() as download:
            tab.tab.locator("#downloads button").click()
        saved = tmp_path / "saved"
        download.value.save_as(saved)
        assert download.value.suggested_filename == "my loop.flac" and saved.read_bytes()[:4] == b"fLaC"
