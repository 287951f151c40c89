"""Errors that a user can cause. Each carries one line that says what is wrong, where, and what to do."""


class LoopnetError(Exception):
    """A failure with an explanation for the user; the command line turns it into exit code 1."""

    exit_code = 1


class UsageError(LoopnetError):
    """The command was used wrongly (bad flag value, unknown name); exit code 2."""

    exit_code = 2


class PatternError(LoopnetError):
    """A rhythm (MIDI file, text grid) cannot be read or holds no usable hits."""


class AudioError(LoopnetError):
    """An audio file cannot be read or written."""


class WeightsError(LoopnetError):
    """Model weights are missing, corrupt or of another version."""


class KitError(LoopnetError):
    """A kit of the user's cannot be read, written or used."""
