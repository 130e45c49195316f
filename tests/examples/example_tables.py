"""Reading the bundled tables without the product's own reader."""

import csv
from pathlib import Path

from cyclopolis.examples import examples

PAPER = "Wang, Yang, Jing, Wu 2025, MSI Journal of Arts, Law and Justice 2(9), CC BY 4.0"
"""Source of every fact about Liupanshui."""
DESCRIPTION = "description of the Partner Park at Changzhi, Shanxi"
"""How the source of every fact about Changzhi begins."""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


FOUND = "kalundborg"
"""The example that is there to be matched: published sizes, no markets and no limits; nothing in it is designed."""
PUBLISHED = ("National Academy of Engineering", "Kalundborg tourist board", "IISD", "Ehrenfeld and Gertler 1997")
"""How the sources of its facts begin."""
DESIGNED = tuple(name for name in examples() if name != FOUND)
