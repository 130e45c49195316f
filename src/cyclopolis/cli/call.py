"""What the user typed, handed to an action."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclopolis.cli.language import plan_language
from cyclopolis.foundation.text import Language


@dataclass(frozen=True)
class Call:
    """One command as typed.

    Parameters
    ----------
    values : mapping
        Arguments and options by name.
    chosen : {"en", "zh"} or None
        What ``--lang`` asks for.
    interface : {"en", "zh"}
        Language of help and messages that are not about a plan.
    """

    values: Mapping[str, Any]
    chosen: Language | None
    interface: Language

    @property
    def json(self) -> bool:
        """Whether a program reads the output."""
        return bool(self.values.get("json"))

    @property
    def quiet(self) -> bool:
        """Whether progress is kept silent."""
        return self.json or bool(self.values.get("quiet"))

    @property
    def plan(self) -> Path:
        """Where the plan is."""
        return Path(self.values["plan"])

    @property
    def scenario(self) -> tuple[str, ...]:
        """The scenarios to apply, in order."""
        return tuple(self.values.get("scenario") or ())

    @property
    def language(self) -> Language:
        """Language of the output: as typed, else the plan's, else that of the interface."""
        if self.chosen:
            return self.chosen
        return (plan_language(self.plan) if "plan" in self.values else None) or self.interface
