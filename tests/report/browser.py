"""A headless Chromium, if there is one; and what it is asked again and again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PATIENCE = 30.0
"""Seconds to wait for what should take a tenth of one: the machine may be busy."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser; skip the test where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser (extra: dev)")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser to show the page in: none of {', '.join(NAMES)} is installed")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


class Tab:
    """A page in the browser, and all that it said or asked for."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, height: int = 900, **how: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, **how)
        self.tab = self.context.new_page()
        self.said: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.address = path.resolve().as_uri()
        self.tab.goto(self.address)

    @property
    def state(self) -> dict[str, Any]:
        return self.tab.evaluate("() => window.loopnet.state")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until the state of the page is as wanted, and return it."""
        end = time.monotonic() + PATIENCE
        while not holds(state := self.state):
            assert time.monotonic() < end, state
            self.tab.wait_for_timeout(20)
        return state

    def drawn(self) -> None:
        self.until(lambda state: state["drawn"] is not None)

    def is_clean(self) -> None:
        """Nothing went wrong, and nothing but the page itself was asked for."""
        assert self.said == []
        assert [address for address in self.requests if not address.startswith(("data:", "blob:"))] == [self.address]
