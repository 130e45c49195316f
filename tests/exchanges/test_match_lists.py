"""A bare list of offers and needs: partial data, units, seasons, rubbish, the budget."""

import itertools
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.match import Match, MatchOptions, match
from cyclopolis.industry.exchanges.match_words import ALL_YEAR, month_bits

HEADERS = ("side", "text", "amount", "unit", "lon", "lat", "months")


def listed(*rows: tuple[str, ...], **options: object) -> Match:
    table = pl.DataFrame(rows, schema=dict.fromkeys(HEADERS, pl.String), orient="row")
    return match(table, MatchOptions(**options))  # type: ignore[arg-type]


def test_type_amount_and_place_give_parts_of_the_gain() -> None:
    found = listed(
        ("offer", "fly ash", "100", "kt", "105.0", "26.6", ""),
        ("need", "粉煤灰", "40000", "t", "105.1", "26.6", ""),
    ).tables["matches"]
    row = found.row(0, named=True)
    assert (row["basis"], row["amount"], row["mode"]) == ("exact", 40_000.0, "truck")
    assert row["distance_km"] == pytest.approx(1.3 * 9.94, rel=0.01)
    assert row["saved_purchase_cny"] == 40_000 * 110
    assert row["saved_disposal_cny"] > 0
    assert row["transport_cny"] == pytest.approx(-40_000 * 0.45 * row["distance_km"])
    parts = ("saved_purchase_cny", "saved_disposal_cny", "transport_cny")
    assert row["net_gain_cny"] == pytest.approx(sum(row[part] for part in parts))


def test_nothing_but_words_gives_a_list_too() -> None:
    found = match(pl.DataFrame({"side": ["offer", "need"], "text": ["wood chips", "particle board"]}))
    row = found.tables["matches"].row(0, named=True)
    assert row["amount"] is None
    assert {"no_amount", "no_place"} <= set(row["blockers"].split(";"))


def test_seasons_overlap() -> None:
    row = listed(
        ("offer", "bagasse", "120", "kt", "", "", "11-4"),
        ("need", "造纸原料", "120", "kt", "", "", "3-8"),
    ).tables["matches"]
    assert row["amount"].item() == pytest.approx(40_000)
    none = listed(("offer", "bagasse", "1", "kt", "", "", "1-2"), ("need", "造纸原料", "1", "kt", "", "", "7-8"))
    assert none.tables["matches"].is_empty()


def test_units_that_do_not_convert_are_said() -> None:
    rows = (("offer", "straw", "1", "kt", "", "", ""), ("need", "solid fuel", "500", "GJ", "", "", ""))
    row = listed(*rows).tables["matches"].row(0, named=True)
    assert "unit_mismatch" in row["blockers"]
    assert row["amount"] is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("maybe", "fly ash", "1", "t", "", "", ""), "side"),
        (("offer", "", "1", "t", "", "", ""), "thing"),
        (("offer", "fly ash", "many", "t", "", "", ""), "amount"),
        (("offer", "fly ash", "-1", "t", "", "", ""), "negative"),
        (("offer", "fly ash", "1", "furlong", "", "", ""), "unit"),
        (("offer", "fly ash", "1", "t", "east", "26", ""), "coordinates"),
        (("offer", "fly ash", "1", "t", "105", "", ""), "half_coordinates"),
        (("offer", "fly ash", "1", "t", "26.6", "105.0", ""), "swapped"),
        (("offer", "fly ash", "1", "t", "", "", "13"), "months"),
    ],
)
def test_rubbish_is_told_and_the_rest_is_matched(row: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    good = (("offer", "fly ash", "1", "kt", "", "", ""), ("need", "fly ash", "1", "kt", "", "", ""))
    found = listed(*good, row, folder=tmp_path)
    told = dict(found.tables["rubbish"].select("reason", "samples").iter_rows())
    assert told == {reason: "3"}
    assert found.tables["matches"].height == 1
    assert reason in (tmp_path / "rubbish.csv").read_text(encoding="utf-8")
    assert pl.read_parquet(tmp_path / "best.parquet")["nrow"].to_list() == [2]


def test_swapped_within_range_is_suspected_and_said() -> None:
    rows = [("offer", "fly ash", "1", "t", str(11.0 + 0.1 * k), "55.6", "") for k in range(6)]
    found = listed(*rows, ("need", "fly ash", "1", "t", "55.6", "11.1", ""))
    assert found.tables["rubbish"]["reason"].to_list() == ["maybe_swapped"]


def test_a_block_that_explodes_is_named_before_the_join() -> None:
    offers = [("offer", "fly ash", "1", "t", "105", "26", "")] * 40
    needs = [("need", "fly ash", "1", "t", "105", "26", "")] * 40
    with pytest.raises(UserError) as told:
        listed(*offers, *needs, budget=1000)
    problem = told.value.problems[0].text
    assert problem.key == "match.too_many_pairs"
    assert (problem.values["offer"], problem.values["place"]) == ("fly_ash", "105.00, 26.00")
    assert listed(*offers, *needs, budget=1600).facts["pairs"] == 1600


def test_bad_lists_have_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column side"):
        match(pl.DataFrame({"text": ["fly ash"]}))
    with pytest.raises(UserError, match="not there"):
        match(tmp_path / "none.csv")
    other = tmp_path / "list.txt"
    other.write_text("side,text\n", encoding="utf-8")
    with pytest.raises(UserError, match="neither CSV nor Parquet"):
        match(other)
    with pytest.raises(UserError, match="none of the rows"):
        listed(("maybe", "fly ash", "1", "t", "", "", ""))


def test_chinese_headers_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "供需.csv"
    path.write_text(
        "供需,名称,数量,单位,经度,纬度\n供应,脱硫石膏,3,万吨,113.0,36.2\n需求,天然石膏,2,万吨,113.1,36.2\n",
        encoding="utf-8",
    )
    found = match(path)
    assert found.tables["matches"].select("offer", "need", "amount").rows() == [
        ("fgd_gypsum", "natural_gypsum", 20_000.0)
    ]
    assert list(found.inputs) == ["供需.csv"]


def test_the_order_of_rows_changes_only_the_row_numbers() -> None:
    texts = ["fly ash", "steel slag", "bagasse", "waste heat"]
    rows = [("offer", text, "5", "t", "", "", "") for text in texts] + [
        ("need", "road base material", "4", "t", "", "", "")
    ]
    one, other = listed(*rows).tables["matches"], listed(*reversed(rows)).tables["matches"]
    names = ["offer", "need", "amount", "fit", "basis"]
    assert one.select(names).sort(names).equals(other.select(names).sort(names))


def test_save_and_load(tmp_path: Path) -> None:
    found = listed(("offer", "fly ash", "1", "kt", "", "", ""), ("need", "fly ash", "1", "kt", "", "", ""))
    found.save(tmp_path / "m")
    again = Match.load(tmp_path / "m")
    assert all(again.tables[name].equals(table) for name, table in found.tables.items())
    assert again.figures("zh").keys() == found.figures("zh").keys() > {"match_gains"}


def test_months() -> None:
    assert month_bits("") == ALL_YEAR
    assert month_bits("11-2") == month_bits("1;2;11;12")
    assert [month_bits(text) for text in ("0", "13", "x", "3-")] == [None, None, None, 4]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("offer", "need", "供应", "x")),
            st.text(max_size=12),
            st.text(max_size=6),
            st.text(max_size=4),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_text_is_read_or_refused(rows: list[tuple[str, str, str, str]]) -> None:
    good = [("offer", "fly ash", "1", "t"), ("need", "fly ash", "1", "t")]
    table = pl.DataFrame([*good, *rows], schema=dict.fromkeys(HEADERS[:4], pl.String), orient="row")
    found = match(table)
    assert found.tables["matches"].height >= 1
    told = found.tables["rubbish"].filter(pl.col("reason") != "not_understood")["rows"].sum()
    assert found.facts["offers"] + found.facts["needs"] + told == table.height


def brute(rows: list[tuple[str, float, float, float]], reach: float) -> set[tuple[int, int]]:
    """Return pairs of offers and needs of one thing within reach, by looking at every pair."""
    import math

    def far(a: tuple[str, float, float, float], b: tuple[str, float, float, float]) -> float:
        lon1, lat1, lon2, lat2 = (math.radians(value) for value in (a[1], a[2], b[1], b[2]))
        half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        return 2 * 6371.0088 * math.asin(math.sqrt(half))

    return {
        (i, j)
        for (i, a), (j, b) in itertools.permutations(enumerate(rows), 2)
        if a[0] == "offer" and b[0] == "need" and far(a, b) <= reach
    }


def test_blocks_lose_no_pair_within_reach() -> None:
    import numpy as np

    rng = np.random.default_rng(5)
    places = rng.uniform((110.0, 30.0), (111.5, 31.5), (150, 2))
    rows = [("offer" if k % 2 else "need", float(lon), float(lat), 1.0) for k, (lon, lat) in enumerate(places)]
    found = listed(*[(side, "sand", "1", "t", str(lon), str(lat), "") for side, lon, lat, _ in rows], reach_km=20.0)
    pairs = {(int(a) - 1, int(b) - 1) for a, b in found.tables["matches"].select("giver", "taker").iter_rows()}
    assert pairs == brute(rows, 20.0)
    assert found.facts["candidates"] >= len(pairs) > 50
