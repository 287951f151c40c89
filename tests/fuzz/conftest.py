"""Profiles: short and always the same in ``make test``; as long as asked, and new each time, by ``make fuzz``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
import samples  # noqa: F401 - adds the folders of other tests
import workers


@pytest.fixture(scope="session")
def file_worker():
    """The process that reads files."""
    worker = workers.Worker("checks")
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def command_worker():
    """The process that runs commands with fake models."""
    worker = workers.Worker("command_checks")
    yield worker
    worker.close()
