"""Reading the bundled tables without the product's own reader."""

import csv
from pathlib import Path

from cyclopolis.examples import example, examples

PAPER = "Wang, Yang, Jing, Wu 2025, MSI Journal of Arts, Law and Justice 2(9), CC BY 4.0"
"""Source of every fact about Liupanshui."""
DESCRIPTION = "description of the Partner Park at Changzhi, Shanxi"
"""How the source of every fact about Changzhi begins."""
KNOWN = (PAPER, DESCRIPTION, "GFHS 20", "description of Guiyang", "US EPA")
"""How the sources of facts begin."""


def with_plants() -> tuple[str, ...]:
    """Return the examples that have plants: all but the one of drainage alone."""
    return tuple(name for name in examples() if (example(name) / "plants.csv").is_file())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))
