"""The pictures of how it works can be made again, and are the ones that are shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "HOW_IT_WORKS.md"


@pytest.mark.slow
def test_the_pictures_can_be_made(tmp_path):
    from PIL import Image

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, REPOSITORY / "docs" / "make_pictures.py", tmp_path], env=environment, check=True, timeout=600
    )
    shown = set(re.findall(r"\]\(img/(.+?)\)", PAGE.read_text(encoding="utf-8")))
    assert {path.name for path in tmp_path.iterdir()} == shown
    for name in shown:
        with Image.open(tmp_path / name) as made, Image.open(PAGE.parent / "img" / name) as kept:
            assert made.size == kept.size
            # something is drawn: a page of one colour has one
            assert len(made.convert("RGB").getcolors(1 << 20) or []) > 5, name
