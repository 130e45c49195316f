"""Reading the bundled tables without the product's own reader."""

import csv
from pathlib import Path

from cyclopolis.examples import example, examples

PAPER = "Wang, Yang, Jing, Wu 2025, MSI Journal of Arts, Law and Justice 2(9), CC BY 4.0"
"""Source of every fact about Liupanshui."""
DESCRIPTION = "description of the Partner Park at Changzhi, Shanxi"
"""How the source of every fact about Changzhi begins."""

EPA = "US EPA"
"""How the source of every fact about EPA's site begins."""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


PINGDINGSHAN = (
    "description of the Green Park at Pingdingshan, Henan: names what is made of what; gives no amounts",
    "Wikipedia, Pingdingshan, read 2026-11-25",
    "m.maigoo.com/citiao/1084550.html, read 2026-11-25",
    "Henan Daily of 2023-08-25 as carried by jinyingyuqi.cn, read 2026-11-25",
    "China Power, news of 2020-01-13 (chinapower.hk), read 2026-11-25",
    "China Daily, About Pingdingshan, read 2026-11-25",
)
"""Sources of every fact about Pingdingshan."""
PARKS = tuple(name for name in examples() if (example(name) / "plants.csv").is_file())
"""Examples with plants; the others are about rain."""
FOUND = "kalundborg"
"""The example that is there to be matched: published sizes, no markets and no limits; nothing in it is designed."""
PUBLISHED = ("National Academy of Engineering", "Kalundborg tourist board", "IISD", "Ehrenfeld and Gertler 1997")
"""How the sources of its facts begin."""
DESIGNED = tuple(name for name in PARKS if name != FOUND)
"""Examples that are designed."""
