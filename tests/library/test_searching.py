"""People find things by what they call them, in either language, spelt well or badly."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.library import load_library, search_library, with_user_rows
from cyclopolis.library.searching import nearest

LIBRARY = load_library()

FIRST = [
    ("电石渣", "carbide_slag"),
    ("carbide slag", "carbide_slag"),
    ("Carbide Slag", "carbide_slag"),
    ("carbide_slag", "carbide_slag"),
    ("ＣＡＲＢＩＤＥ ＳＬＡＧ", "carbide_slag"),
    ("电石泥", "carbide_slag"),
    ("carbde slag", "carbide_slag"),
    ("粉煤灰", "fly_ash"),
    ("兰炭", "semi_coke"),
    ("电石", "calcium_carbide"),
    ("焦炉煤气", "coke_oven_gas"),
    ("red mud", "red_mud"),
    ("PVC", "pvc"),
    ("脱硫石膏", "fgd_gypsum"),
    ("lime_kiln", "lime_kiln"),
    ("neoprene", "chloroprene_rubber"),
]


@pytest.mark.parametrize(("text", "first"), FIRST)
def test_what_is_meant_comes_first(text: str, first: str) -> None:
    assert search_library(text)["id"][0] == first


@pytest.mark.parametrize("kind", ["commodity", "technology"])
def test_everything_is_found_by_its_own_identifier_and_names(kind: str) -> None:
    table = LIBRARY.commodities if kind == "commodity" else LIBRARY.technologies
    for row in table[::9].iter_rows(named=True):
        for text in (row[kind], row["name"], row["name_zh"]):
            found = search_library(text, limit=10)
            assert (kind, row[kind]) in set(found.select("kind", "id").iter_rows()), text


def test_results_are_ordered_and_limited() -> None:
    found = search_library("slag", limit=5)
    assert found.columns == ["kind", "id", "name", "name_zh", "score"]
    assert found.height == 5
    assert found["score"].is_sorted(descending=True)
    assert found["score"].max() <= 100


def test_a_name_that_holds_the_text_beats_one_that_is_like_it() -> None:
    found = search_library("gypsum", limit=60)
    holds = found.filter(pl.col("name").str.to_lowercase().str.contains("gypsum"))
    assert holds["score"].min() > 84


@pytest.mark.parametrize("text", ["", "   ", "()", "qzxqzxqzx"])
def test_nothing_is_found_for_nothing(text: str) -> None:
    found = search_library(text)
    assert found.is_empty()
    assert found.columns == ["kind", "id", "name", "name_zh", "score"]


@given(st.text(max_size=30))
@settings(max_examples=25, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    found = search_library(text, limit=3)
    assert found.height <= 3
    assert found["score"].is_between(55, 100).all()


def test_the_users_own_things_are_found() -> None:
    own = pl.DataFrame(
        {
            "commodity": ["moon_dust"],
            "name": ["Moon dust"],
            "name_zh": ["月尘"],
            "kind": ["material"],
            "unit": ["t"],
            "state": ["solid"],
            "source": ["sample"],
        }
    )
    merged = with_user_rows(LIBRARY, commodities=own)
    assert search_library("月尘", merged)["id"][0] == "moon_dust"
    assert "moon_dust" not in search_library("月尘")["id"].to_list()


def test_the_nearest_name_is_near_or_none() -> None:
    names = LIBRARY.technologies["technology"].to_list()
    assert nearest("chlor_alkalli", names) == "chlor_alkali"
    assert nearest("qqqq", names) == ""
    assert nearest("x", []) == ""
