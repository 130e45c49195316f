"""How fast tables are read: a checked plan of 100,000 rows beside a bare csv.DictReader loop, and the library.

Run ``python benchmarks/reading.py [ROWS]``. The loop only splits cells; reading also decodes, converts, resolves
references, converts units, finds duplicates and cross-checks.
"""

import csv
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from cyclopolis.library import closure, load_library
from cyclopolis.plan import read_plan

TOML = 'name = "Large"\nbase_year = 2023\nhorizon = [2030]\ndiscount_rate = 0.06\n'


def write_plan(folder: Path, rows: int) -> None:
    """Write a plan of which the table of plants has ``rows`` rows."""
    technologies = load_library().technologies["technology"].sort().to_list()
    (folder / "plan.toml").write_text(TOML, encoding="utf-8")
    sites = "".join(f"s{number},park,{105 + number % 97 / 97},26.6\n" for number in range(1000))
    (folder / "sites.csv").write_text("site,kind,lon,lat\n" + sites, encoding="utf-8")
    lines = ["plant,name,site,technology,status,capacity,activity,unit,source"]
    for number in range(rows):
        technology = technologies[number % len(technologies)]
        output = f'"{number % 900 + 100},000"' if number % 10 == 0 else f"{number % 900 + 100}000"
        lines.append(f'p{number},"Plant {number}, east",s{number % 1000},{technology},已建,1000000,{output},,年报 2023')
    (folder / "plants.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def best(call: Callable[[], object], times: int = 5) -> float:
    """Return the shortest time of some calls, s."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return min(taken)


def main(rows: int) -> None:
    """Time all and print rows per second, the best of three; the library the best of five."""
    print(f"library read   {best(load_library.__wrapped__):8.3f} s")
    library = load_library()
    print(f"library closed {best(lambda: closure(library)):8.3f} s, mass and carbon of all technologies")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plan(folder, rows)
        times: dict[str, list[float]] = {"read_plan": [], "csv.DictReader": []}
        for _ in range(3):
            start = perf_counter()
            plan = read_plan(folder)
            times["read_plan"].append(perf_counter() - start)
            start = perf_counter()
            with (folder / "plants.csv").open(encoding="utf-8", newline="") as handle:
                count = sum(1 for _ in csv.DictReader(handle))
            times["csv.DictReader"].append(perf_counter() - start)
        assert plan.tables["plants"].height == count == rows
    for what, taken in times.items():
        print(f"{what:<16}{min(taken):8.3f} s {rows / min(taken):12,.0f} rows/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
