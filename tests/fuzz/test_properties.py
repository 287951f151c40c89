"""The properties of `targets`, a few inputs of each, always the same; ``make fuzz`` tries as many as time allows."""

from __future__ import annotations

import json

import command_checks
import pytest
import targets
from hypothesis import HealthCheck, Phase, given, settings


@pytest.mark.parametrize("target", targets.TARGETS, ids=lambda target: target.name)
def test_nothing_breaks(target, file_worker, command_worker):
    worker = file_worker if target.module == "checks" else command_worker
    found = {"accepted": 0, "refused": 0}

    @settings(
        max_examples=target.examples, derandomize=True, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(target.inputs())
    def attempt(content):
        verdict = worker.attempt(target.check, content)
        found[verdict.kind] = found.get(verdict.kind, 0) + 1
        verdict.check()

    attempt()
    if target in targets.FILES:
        assert found["refused"], "no input was refused: the mutations do nothing"
    if target.name != "manifest":
        assert found["accepted"], "no input was accepted: what they begin with is not valid"


@pytest.mark.parametrize("target", targets.FILES, ids=lambda target: target.name)
def test_what_mutations_begin_with_is_accepted(target, file_worker):
    for content in targets.valid(target):
        verdict = file_worker.attempt(target.check, content)
        assert verdict.kind == "accepted", verdict.told


@pytest.mark.parametrize("command", command_checks.BASE)
def test_what_options_are_added_to_does_its_work(command, command_worker):
    verdict = command_worker.attempt("flags", json.dumps([command, []]).encode())
    needs_more = "missing" in command_checks.BASE[command] or command in ("train", "play", "dataset inspect")
    assert verdict.kind == ("refused" if needs_more else "accepted"), verdict.told


@pytest.mark.parametrize("place", command_checks.NAMED)
def test_names_that_are_good_are_taken(place, command_worker):
    name = {"generate --kit": "mine", "generate INPUT": "beat.mid"}.get(place, "mine" if "kits " in place else "good")
    words = command_checks.NAMED[place][0]
    verdict = command_worker.attempt(
        "names", json.dumps([place, "other" if words[1] in ("save", "import") else name]).encode()
    )
    assert verdict.kind == "accepted", verdict.told


def test_every_option_of_every_command_is_tried(command_worker):
    options = command_checks.options()
    commands = {command for command, _, _ in options}
    assert {"generate", "transfer", "batch", "grid", "analyze", "kits save", "dataset build", "train"} <= commands
    assert len(options) > 200
    missing = sorted(
        command
        for command in commands
        if command not in command_checks.BASE and command not in ("doctor", "kits list", "kits path")
    )
    assert not missing, f"say in BASE what makes these commands do their work: {missing}"
