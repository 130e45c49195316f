"""Reading the library is fast enough to be done at every start."""

import time

from cyclopolis.library import closure, load_library
from cyclopolis.library.tables import load_library as cached


def best(call, times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def test_reading_from_package_data_stays_under_its_budget() -> None:
    assert best(cached.__wrapped__) < 0.1


def test_closing_all_technologies_stays_under_its_budget() -> None:
    library = load_library()
    assert best(lambda: closure(library)) < 0.1
