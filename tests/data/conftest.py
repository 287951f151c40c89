"""Fixtures of the tests of data sets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loopnet_cli.data import curation, rendered

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from dataset_sounds import FakeEars, fake_row


@pytest.fixture
def fake_ears(monkeypatch) -> FakeEars:
    ears = FakeEars()
    monkeypatch.setattr(curation, "ears", lambda: ears)
    return ears


@pytest.fixture
def quick(fake_ears, monkeypatch) -> None:
    """Bars are cut but not described."""
    monkeypatch.setattr(curation, "describe_bar", fake_row)


@pytest.fixture
def fresh_sources():
    """Loaded anew: what is loaded once a process may be a fake of another test."""
    rendered._source.cache_clear()
    yield
    rendered._source.cache_clear()
