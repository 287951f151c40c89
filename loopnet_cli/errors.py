"""Errors that a user can cause. Each carries one line that says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LoopnetError(Exception):
    """A failure with an explanation for the user; the command line turns it into exit code 1."""

    exit_code = 1


class UsageError(LoopnetError):
    """The command was used wrongly (bad flag value, unknown name); exit code 2."""

    exit_code = 2


class JobsError(UsageError):
    """A file of jobs cannot be used."""


class PatternError(LoopnetError):
    """A rhythm (MIDI file, text grid) cannot be read or holds no usable hits."""


class AudioError(LoopnetError):
    """An audio file cannot be read or written."""


class MissingProgramError(AudioError):
    """A program that is not part of loopnet is needed and not installed."""


class WeightsError(LoopnetError):
    """Model weights are missing, corrupt or of another version."""


class DatasetError(LoopnetError):
    """A data set cannot be made, read or continued."""


class KitError(LoopnetError):
    """A kit of the user's cannot be read, written or used."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Put the name of a source before errors about audio or patterns that do not have it."""
    try:
        yield
    except (AudioError, PatternError) as error:
        if name in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error
