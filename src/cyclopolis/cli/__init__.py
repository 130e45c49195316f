"""The command line: a face. It reads what the user typed, asks the engines, and shows their results."""

from cyclopolis.cli.start import main

__all__ = ["main"]
