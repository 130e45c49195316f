"""The 4,492 enterprises of the example `liupanshui`, drawn from a seed so that every known total is met exactly.

Known are the totals of the eight parks (see the example's ``indicators.csv``). The split by park, the industries and
the size of each enterprise are assumed: the tables beside this module (``generation/``) hold the split, the owners of
the main plants with their figures, and the weights of the industries. Enterprises above the designated scale have at
least 20 million CNY, the others less. Amounts are drawn in whole steps of 0.01 million CNY, so that sums are exact.
"""

import csv
import io
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

SEED = 20251
"""Seed of the bundled table."""
SCALE = 2000
"""Designated scale of industrial enterprises in China in steps of 0.01 million CNY (20 million CNY of revenue)."""
HEADER = ("enterprise", "name", "name_zh", "site", "industry_code", "employees", "output_value", "source", "note")


@dataclass(frozen=True)
class Park:
    """Totals of one park; money in steps of 0.01 million CNY."""

    site: str
    label: str
    label_zh: str
    firms: int
    firms_above: int
    output_above: int
    output_below: int
    employees: int


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Split a whole number by weights into whole numbers that sum to it (largest remainders).

    Parameters
    ----------
    total : int
        What is split, at least 0.
    weights : sequence of float
        Positive.

    Returns
    -------
    list of int, one per weight

    Examples
    --------
    >>> share_out(10, [1.0, 1.0, 2.0])
    [3, 2, 5]
    """
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def enterprises_csv(seed: int = SEED) -> str:
    r"""Return the table ``enterprises`` of the example as CSV text.

    Parameters
    ----------
    seed : int
        Start of the random numbers; the same seed gives the same bytes.

    Examples
    --------
    >>> enterprises_csv().count("\n")
    4493
    """
    rng = Random(seed)  # noqa: S311 - made-up data, no secret
    main = _read("main_enterprises.csv")
    industries = _read("industries.csv")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    for row in _read("parks.csv"):
        park = Park(
            site=row["site"],
            label=row["label"],
            label_zh=row["label_zh"],
            firms=int(row["firms"]),
            firms_above=int(row["firms_above"]),
            output_above=round(float(row["output_above"]) * 100),
            output_below=round(float(row["output_below"]) * 100),
            employees=int(row["employees"]),
        )
        owners = [owner for owner in main if owner["site"] == park.site]
        writer.writerows(_owner(owner) for owner in owners)
        writer.writerows(_drawn(park, owners, [kind for kind in industries if kind["site"] == park.site], rng, seed))
    return stream.getvalue()


def _read(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / "generation" / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _owner(row: dict[str, str]) -> list[str]:
    source = "assumed: owner of a main plant, figures set for the example"
    return [row[name] for name in HEADER[:-2]] + [source, ""]


def _drawn(
    park: Park, owners: list[dict[str, str]], industries: list[dict[str, str]], rng: Random, seed: int
) -> list[list[str]]:
    """Return the rows of one park's other enterprises; with the owners they meet the park's totals."""
    above = park.firms_above - len(owners)
    below = park.firms - park.firms_above
    left = park.output_above - sum(round(float(owner["output_value"]) * 100) for owner in owners)
    tail = [1 / (0.05 + rng.random()) for _ in range(above)]
    outputs = [SCALE + extra for extra in share_out(left - SCALE * above, tail)]
    outputs += share_out(park.output_below, [0.2 + 1.6 * rng.random() for _ in range(below)])
    people = park.employees - sum(int(owner["employees"]) for owner in owners) - above - below
    employees = [1 + extra for extra in share_out(people, [output**0.6 for output in outputs])]
    steps = list(accumulate(float(kind["weight"]) for kind in industries))
    rows = []
    for number, (output, staff) in enumerate(zip(outputs, employees, strict=True), start=1):
        kind = industries[bisect(steps, rng.random() * steps[-1])]
        rows.append(
            [
                f"{park.site}_{number:04d}",
                f"{park.label} {kind['name']} {number}",
                f"{park.label_zh}{kind['name_zh']}{number}号",
                park.site,
                kind["industry_code"],
                str(staff),
                f"{output / 100:.2f}",
                f"assumed: drawn with seed {seed}",
                "",
            ]
        )
    return rows
