"""Reading the bundled tables without the product's own reader."""

import csv
from pathlib import Path

PAPER = "Wang, Yang, Jing, Wu 2025, MSI Journal of Arts, Law and Justice 2(9), CC BY 4.0"
"""Source of every fact about Liupanshui."""
DESCRIPTION = "description of the Partner Park at Changzhi, Shanxi"
"""How the source of every fact about Changzhi begins."""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))
