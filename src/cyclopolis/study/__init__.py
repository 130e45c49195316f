"""One run of all that a plan has data for, its results on disk, and the proof by published cases (`verify`)."""

from cyclopolis.study.run import run
from cyclopolis.study.store import RunResult, load_run, results_folder

__all__ = ["RunResult", "load_run", "results_folder", "run"]
