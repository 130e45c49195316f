"""How long work tells how far it is, without knowing who listens."""

from typing import Protocol

from cyclopolis.foundation.text import Message


class Progress(Protocol):
    """Called with what is being done and, where it can be known, the share done (0 to 1)."""

    def __call__(self, stage: Message, done: float | None = None) -> None:
        """Take note of a stage."""


def silent(stage: Message, done: float | None = None) -> None:
    """Listen to nothing; the default."""
    del stage, done
