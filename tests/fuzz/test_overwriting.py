"""No command writes over what is there, unless it is asked to; every command that writes, and whatever is there."""

from __future__ import annotations

import json

import command_checks
import pytest


@pytest.mark.parametrize("kind", command_checks.KINDS)
@pytest.mark.parametrize("name", command_checks.TARGETS)
def test_nothing_is_written_over_unasked(name, kind, command_worker):
    verdict = command_worker.attempt("overwriting", json.dumps([name, kind]).encode())
    assert verdict.kind == "refused" or (kind == "folder" and verdict.kind != "failed"), verdict.told
