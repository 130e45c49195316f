"""The page about the library tells the library's own numbers."""

import re
from pathlib import Path

import pytest

from cyclopolis.library import closure, load_library, stray_substitutions

PAGE = (Path(__file__).parents[2] / "docs" / "methods" / "library.md").read_text(encoding="utf-8")
LIBRARY = load_library()
COUNTS = {
    r"(\d+) commodities": LIBRARY.commodities.height,
    r"(\d+) technologies with": LIBRARY.technologies.height,
    r"with ([\d,]+) recipe rows": LIBRARY.recipes.height,
    r"(\d+) ways to use a waste": LIBRARY.substitutions.height,
    r"(\d+) lawful ways out": LIBRARY.fates.height,
    r"(\d+) are `seen`": LIBRARY.recipes.filter(provenance="seen").height,
    r"and ([\d,]+) `memory`": LIBRARY.recipes.filter(provenance="memory").height,
    r"(\d+) of \d+ technologies close both": closure(LIBRARY)["closed"].sum(),
    r"The other (\d+) state why not": closure(LIBRARY).height - closure(LIBRARY)["closed"].sum(),
}


@pytest.mark.parametrize(("pattern", "count"), COUNTS.items())
def test_the_page_counts_right(pattern: str, count: int) -> None:
    found = re.findall(pattern, PAGE)
    assert found, pattern
    assert {int(text.replace(",", "")) for text in found} == {count}


def test_the_causes_of_open_balances_add_up() -> None:
    table = PAGE.split("| cause | technologies |")[1].split("\n\n")[0]
    assert sum(int(text) for text in re.findall(r"\| (\d+) \|$", table, flags=re.MULTILINE)) == 60


def test_the_page_counts_the_stray_substitutions() -> None:
    words = {4: "Four", 5: "Five", 6: "Six"}
    assert f"{words[stray_substitutions(LIBRARY).height]} rows are like this" in PAGE


@pytest.mark.parametrize("name", re.findall(r"`([a-z0-9]+_[a-z0-9_]+)`", PAGE))
def test_every_name_on_the_page_exists(name: str) -> None:
    tables = LIBRARY.tables()
    columns = {column for table in tables.values() for column in table.columns}
    calls = {"with_user_rows", "stray_substitutions"}
    things = set(LIBRARY.commodities["commodity"]) | set(LIBRARY.technologies["technology"])
    assert name in columns | calls | things | set(tables)
