"""Make the pictures of docs/REPORT.md: pages of loops that the studio model makes, seen by a headless Chromium.

Usage: python docs/report_pictures.py    (needs the extra `dev` and an installed Chromium)
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from typer.testing import CliRunner

from loopnet_cli.cli.app import app
from loopnet_cli.report import item_from_file, write_report
from loopnet_cli.synthesis.bank import read_normalisation

REPOSITORY = Path(__file__).parents[1]
PATTERNS = REPOSITORY / "examples" / "patterns"
PICTURES = REPOSITORY / "docs" / "img"
KITS = ("tight-studio", "warm-808", "dusty-break", "lofi-tape")
BRIGHTNESS = (0.0, 0.25, 0.5, 0.75, 1.0)


def loopnet(*words: object) -> None:
    """Run a command line of loopnet in this process."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exit_code:
        sys.exit(result.stderr)


def make_pages(folder: Path) -> None:
    """Make a page of one loop, of a transfer, and of a grid."""
    loopnet(
        "generate", PATTERNS / "breakbeat.mid", "-o", folder / "breakbeat.wav", "--kit", "tight-studio", "--seed", 7,
        "--high-brightness", 0.7, "--low-depth", 0.6, "--report", folder / "one.html",
    )  # fmt: skip
    loopnet(
        "transfer", "--rhythm", PATTERNS / "funk.mid", "--timbre", "warm-808", "--seed", 3,
        "-o", folder / "funk-808.wav", "--report", folder / "transfer.html",
    )  # fmt: skip
    units, items = read_normalisation(), []
    for brightness in BRIGHTNESS:
        for kit in KITS:
            path = folder / "grid" / f"house_{kit}_{brightness:g}.wav"
            loopnet("generate", PATTERNS / "house.mid", "--bars", 1, "--kit", kit, "--brightness", brightness,
                    "--seed", 1, "--out-dir", path.parent, "--name", path.name)  # fmt: skip
            items.append(item_from_file(path, axes={"brightness": brightness, "kit": kit}, normalisation=units))
    write_report(folder / "grid.html", items, title="house: brightness by kit")


def photograph(
    browser: Browser, page: Path, name: str, *, width: int, height: int, dark: bool, keys: tuple[str, ...]
) -> None:
    """Open a page, press keys, wait a little, and keep the picture."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5 if width > 500 else 2,
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    for key in keys:
        tab.keyboard.press(key)
    end = time.monotonic() + 60
    while tab.evaluate("() => window.loopnet.state.drawn") is None and time.monotonic() < end:
        tab.wait_for_timeout(50)
    tab.wait_for_timeout(1200)
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    # 256 colours are enough and a quarter of the size
    picture.quantize(256, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)
    context.close()


def main() -> None:
    """Make all pictures."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        folder = Path(name)
        make_pages(folder)
        browser = play.chromium.launch(executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"])
        photograph(
            browser, folder / "one.html", "report-light.png", width=1280, height=900, dark=False, keys=("Space",)
        )
        photograph(
            browser, folder / "grid.html", "report-grid.png", width=1280, height=900, dark=True,
            keys=("ArrowRight", "ArrowDown", "ArrowDown", "Space"),
        )  # fmt: skip
        photograph(
            browser, folder / "transfer.html", "report-phone.png", width=390, height=844, dark=True, keys=("Space", "a")
        )
        browser.close()


if __name__ == "__main__":
    main()
