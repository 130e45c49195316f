"""Units of the quantities that a plan may limit and aim at, read from the plan's own list."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def quantity_units() -> Mapping[str, str]:
    """Return the unit of each quantity of ``plan/schema/quantities.csv``, in file order.

    Examples
    --------
    >>> quantity_units()["water"]
    'm3/a'
    """
    with (files("cyclopolis.plan.schema") / "quantities.csv").open(encoding="utf-8") as handle:
        return {row["quantity"]: row["unit"] for row in csv.DictReader(handle)}
