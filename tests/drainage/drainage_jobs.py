"""Jobs that the pool's workers import."""

import os
from pathlib import Path

from cyclopolis.foundation.problems import user_error
from cyclopolis.infrastructure.drainage.swmm import run_swmm


def square_or_die(number: int, folder: Path) -> int:
    print("noise")  # noqa: T201
    os.write(1, b"more noise")
    if number == 7:
        os.abort()
    if number == 11:
        raise user_error("drainage.no_gage")
    return number * number


def die_at_once(number: int, folder: Path) -> int:
    os._exit(3)


def runoff(model: bytes, folder: Path) -> float | None:
    return run_swmm(model, folder).totals.depth_mm["runoff"]


class Unpicklable:
    def __call__(self, piece: int, folder: Path) -> int:
        return piece

    def __setstate__(self, state: object) -> None:
        raise RuntimeError

    def __getstate__(self) -> object:
        return {"a": 1}


def variable(name: str, folder: Path) -> str | None:
    return os.environ.get(name)
