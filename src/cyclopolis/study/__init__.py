"""One run of all that a plan has data for, its results on disk, and the proof by published cases."""

from cyclopolis.study.run import run
from cyclopolis.study.store import RunResult, load_run, results_folder
from cyclopolis.study.verify import VerifyReport, verify

__all__ = ["RunResult", "VerifyReport", "load_run", "results_folder", "run", "verify"]
