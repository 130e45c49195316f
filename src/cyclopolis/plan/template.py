"""t."""

from pathlib import Path


def write_template(path: Path | str, language: str = "en") -> None:
    """x."""
