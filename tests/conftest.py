"""Tests run on one thread, as the command does."""

from __future__ import annotations

from loopnet_cli.threads import one_thread

one_thread()
