"""What the tests of the page share: loops that cost nothing."""

from __future__ import annotations

import base64
import html.parser
import json
import re
from pathlib import Path

import numpy as np

from loopnet_cli.audio.write import write_loop
from loopnet_cli.controls import TIMBRE_NAMES, Loop
from loopnet_cli.pattern import Hit, Pattern
from loopnet_cli.report import Clip, Knobs, ReportItem

RATE = 44100
HOSTILE = [
    "</script><script>document.title='taken'</script>",
    '"><img src=x onerror="document.title=\'taken\'">',
    "<!--<script>",
    "{{data}} {{script}}",
    "javascript:document.title='taken'",
    "a\u202egpj.exe",
    "line\nbreak\x00\x1b[31m",
    "\udcff not unicode",
    "日本 🥁 " + "x" * 400,
]


def pattern(bars: int = 1, tempo: float = 120.0) -> Pattern:
    hits = [Hit(0.0, "kick", 1.0), Hit(1.0, "snare", 0.8), Hit(1.75, "hat_open", 0.3), Hit(2.5, "kick", 0.5)]
    return Pattern(tuple(hits), bars, (4, 4), tempo)


def tone(rhythm: Pattern, hertz: float = 220.0, rate: int = RATE) -> np.ndarray:
    """A decaying tone and noise on every hit; samples differ all along, so that a shift by one is seen."""
    rng = np.random.default_rng(7)
    total = rhythm.samples(rate)
    audio = 0.001 * np.sin(np.arange(total) * 0.37)
    time = np.arange(min(total, rate // 8)) / rate
    for hit, at in zip(rhythm.hits, rhythm.onset_samples(rate), strict=True):
        voice = np.sin(2 * np.pi * hertz * time) + 0.5 * rng.uniform(-1, 1, len(time))
        stroke = 0.4 * hit.velocity * voice * np.exp(-time * 40)
        np.add.at(audio, (at + np.arange(len(time))) % total, stroke)
    return audio.astype(np.float32)


def knobs(value: float = 0.5) -> Knobs:
    return Knobs(dict.fromkeys(TIMBRE_NAMES, value), dict.fromkeys(TIMBRE_NAMES, value + 0.1), frozenset({"low.depth"}))


def item(name: str = "loop", hertz: float = 220.0, value: float = 0.5, **more) -> ReportItem:
    rhythm = pattern()
    clip = Clip(name, tone(rhythm, hertz), RATE, None, rhythm)
    return ReportItem(name, clip, knobs(value), {"kit": "tight-studio", "seed": 3}, **more)


def loop_file(path: Path, seed: int = 1, **settings: object) -> Path:
    """Write a loop as `loopnet generate` does."""
    rhythm = pattern()
    stored = {
        "kit": "warm-808",
        "model": "studio",
        "timbre": {"low.depth": "0.7"},
        "timbre_asked": dict.fromkeys(TIMBRE_NAMES, 0.4),
        "pattern": [[hit.beat, hit.voice, hit.velocity] for hit in rhythm.hits],
        "pattern_bars": 1,
        "repeat": 1,
        **settings,
    }
    audio = tone(rhythm, 110.0 * seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_loop(Loop(audio, {}, RATE, 120.0, 1, (4, 4), seed, stored), path)
    return path


class Page(html.parser.HTMLParser):
    """What a browser would find in a page: elements by tag, the title, the data."""

    def __init__(self, path: Path | bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.content = path if isinstance(path, bytes) else path.read_bytes()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(self.content.decode("utf-8"))
        self.data = json.loads(self.texts["script"][0])

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if data.strip():
            self.texts.setdefault(self._open, []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def policy(self) -> str:
        return next(meta["content"] or "" for meta in self.of("meta") if meta.get("http-equiv"))

    def audio(self, number: int) -> bytes:
        """The file that is held for a clip."""
        source = self.of("audio")[number]["src"] or ""
        found = re.fullmatch(r"data:audio/(flac|wav);base64,([A-Za-z0-9+/=]+)", source)
        assert found, source[:80]
        return base64.b64decode(found[2], validate=True)
