"""The page: markup, style, scripts, data and audio in one file that needs, and may use, no network."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from loopnet_cli.audio.files import write_whole
from loopnet_cli.controls import ATTRIBUTES, BANDS
from loopnet_cli.errors import AudioError, LoopnetError, UsageError
from loopnet_cli.pattern.model import STEM_OF_VOICE, VOICES
from loopnet_cli.report.encode import encode_clip, link_to
from loopnet_cli.report.items import Clip, ReportItem
from loopnet_cli.report.plain import item_values, line, musical_values, to_json
from loopnet_cli.version import __version__

AudioMode = Literal["embed", "link"]

SUFFIXES: tuple[str, ...] = (".html", ".htm")
BIG_BYTES = 50_000_000
"""A page larger than this is told of: browsers take long to open it."""
MAX_EMBEDDED = 250_000_000
"""Loops that come after so many bytes are linked: no browser opens a page of a gigabyte."""

SCRIPTS: tuple[str, ...] = ("data.js", "player.js", "fourier.js", "draw.js", "deck.js", "sheet.js", "main.js")
"""The files that make the page's one script, in this order."""


@dataclass(frozen=True)
class Report:
    """A page that was written.

    Attributes
    ----------
    path : Path
        Where.
    size : int
        In bytes.
    loops, failed : int
        How many loops are on it, and how many that failed.
    warnings : tuple of str
        What the user should know.
    """

    path: Path
    size: int
    loops: int
    failed: int
    warnings: tuple[str, ...] = ()


def check_report(path: str | Path, *, overwrite: bool = False) -> Path:
    """Make sure that a page can be called so, before anything is rendered.

    Raises
    ------
    UsageError
        If it does not end in .html.
    AudioError
        If it exists and may not be replaced, or its folder is missing.
    """
    page = Path(path)
    if page.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--report {path}: the report is a web page, call it .html")
    if "\0" in str(page):
        raise AudioError(f"cannot write {path}: no name holds a NUL")
    try:
        is_folder, is_taken, has_folder = page.is_dir(), page.exists(), page.parent.is_dir()
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise AudioError(f"cannot write {path}: {error.strerror}") from error
    if is_folder:
        raise AudioError(f"cannot write {path}: it is a folder")
    if is_taken and not overwrite:
        raise AudioError(f"{path} exists: use --overwrite")
    if not has_folder:
        raise AudioError(f"cannot write {path}: the folder {page.parent} does not exist")
    return page


class PageBuilder:
    """Takes loops in one by one, so that no more than their encoded audio stays in memory.

    Parameters
    ----------
    path : path
        Where the page will lie: links are relative to it.
    audio : {"embed", "link"}
        Whether the page holds the audio, or points to the loops' files. What has no file is always held.
    """

    def __init__(self, path: str | Path, *, audio: AudioMode = "embed") -> None:
        self.path, self._mode = Path(path), audio
        self._items: list[dict[str, Any]] = []
        self._clips: list[dict[str, Any]] = []
        self._sources: list[str] = []
        self._known: WeakKeyDictionary[Clip, int | None] = WeakKeyDictionary()
        self._embedded = 0
        self._linked_for_size = 0
        self._warnings: list[str] = []

    def __len__(self) -> int:
        """Return how many loops were taken in, failed ones included."""
        return len(self._items)

    def add(self, item: ReportItem) -> None:
        """Take a loop in; one whose file cannot be read is shown as failed."""
        error, clip = item.error, None
        if item.clip is not None:
            try:
                clip = self._clip(item.clip, kept=False)
            except LoopnetError as problem:
                error = error or str(problem)
        inputs = []
        for other in item.inputs:
            try:
                number = self._clip(other, kept=True)
            except LoopnetError as problem:
                self._warnings.append(f"the page goes without {other.label}: {problem}")
                continue
            if number is not None:
                inputs.append(number)
        self._items.append(item_values(item, clip, inputs, error))

    def render(self, title: str, note: str = "") -> bytes:
        """Return the page."""
        data = {
            "title": line(title),
            "note": line(note),
            "version": __version__,
            "voices": [[voice, STEM_OF_VOICE[voice]] for voice in VOICES],
            "attributes": ATTRIBUTES,
            "bands": BANDS,
            "clips": self._clips,
            "items": self._items,
        }
        players = "\n".join(
            f"<li><span>{html.escape(line(clip['label']))}</span> "
            f'<audio controls loop preload="none" src="{source}"></audio></li>'
            for clip, source in zip(self._clips, self._sources, strict=True)
        )
        style, script = _asset("page.css"), "".join(map(_asset, SCRIPTS))
        policy = (
            "default-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none'; "
            f"script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data: blob:; "
            # files beside the page, where it is opened as a file and where it is served
            "media-src data: blob:" + (" 'self' file:" if any(clip["linked"] for clip in self._clips) else "")
        )
        values = {
            "policy": html.escape(policy),
            "title": html.escape(line(title)),
            "style": style,
            "script": script,
            "players": players,
            "data": to_json(data),
        }
        # one pass: what is put in is not looked at again
        page = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], _asset("page.html"))
        return page.encode("utf-8", "replace")

    def write(self, *, title: str, overwrite: bool = False, note: str = "") -> Report:
        """Write the page, whole or not at all.

        Raises
        ------
        UsageError
            If it does not end in .html.
        AudioError
            If it exists and may not be replaced, or cannot be written.
        """
        check_report(self.path, overwrite=overwrite)
        content = self.render(title, note)
        write_whole(self.path, content)
        warnings = list(self._warnings)
        if self._linked_for_size:
            warnings.append(
                f"{self._linked_for_size} loops are linked, not held: the page is full at {MAX_EMBEDDED // 10**6} MB"
            )
        elif len(content) > BIG_BYTES:
            warnings.append(f"the page is {len(content) / 1e6:.0f} MB: --report-audio link makes it small")
        failed = sum(item["clip"] is None for item in self._items)
        return Report(self.path, len(content), len(self._items) - failed, failed, tuple(warnings))

    def _clip(self, clip: Clip, *, kept: bool) -> int | None:
        """Return the number of a clip, taken in once; `kept` for those that come with more than one loop."""
        if clip in self._known:
            return self._known[clip]
        if kept:
            self._known[clip] = None  # one that fails is tried, and told of, once
        link = None if clip.path is None else link_to(clip.path, self.path)
        is_full = link is not None and self._embedded > MAX_EMBEDDED
        linked = link is not None and (self._mode == "link" or is_full)
        self._linked_for_size += is_full and self._mode == "embed"
        found = encode_clip(clip, embed=not linked)
        number = len(self._clips)
        self._clips.append(
            {
                "label": line(clip.label),
                "rate": found.sample_rate,
                "samples": found.samples,
                "channels": found.channels,
                "lufs": found.loudness,
                "peak": found.peak_db,
                "picture": found.picture,
                "cut": found.cut,
                "linked": linked,
                "role": line(clip.role),
                "file": None if clip.path is None else {"name": line(clip.path.name), "href": link},
                **musical_values(clip),
            }
        )
        if linked:
            source = html.escape(link or "")
        else:
            source = f"data:{found.media};base64,{base64.b64encode(found.content).decode('ascii')}"
            self._embedded += len(source)
        self._sources.append(source)
        if kept:
            self._known[clip] = number
        return number


def write_report(
    path: str | Path,
    items: Iterable[ReportItem],
    *,
    title: str,
    overwrite: bool = False,
    audio: AudioMode = "embed",
    note: str = "",
) -> Report:
    """Write a page of loops.

    Parameters
    ----------
    path : path
        The page, ending in .html.
    items : iterable of ReportItem
        What to show; taken one by one.
    title : str
        What stands above.
    overwrite : bool
        Whether a file that exists is replaced.
    audio : {"embed", "link"}
        See `PageBuilder`.
    note : str
        A line under the title.

    Raises
    ------
    UsageError, AudioError
        See `PageBuilder.write`; nothing is taken in if the page cannot be called so.
    """
    check_report(path, overwrite=overwrite)
    builder = PageBuilder(path, audio=audio)
    for item in items:
        builder.add(item)
    return builder.write(title=title, overwrite=overwrite, note=note)


@cache
def _asset(name: str) -> str:
    return (files("loopnet_cli.report") / "assets" / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
