"""Matching of plans: what is offered, needed, and how the pairs are valued; Kalundborg from what each actor had."""

import doctest
from pathlib import Path

import polars as pl
import pytest

import cyclopolis
from cyclopolis.industry.exchanges.match import Match, match
from cyclopolis.industry.exchanges.match_plan import plan_sides
from cyclopolis.industry.exchanges.match_score import labelled_parks
from cyclopolis.plan import Plan, read_plan

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {name: read_plan(cyclopolis.example(name)) for name in ("quickstart", "changzhi", "kalundborg")}


@pytest.fixture(scope="module")
def found(plans: dict[str, Plan]) -> dict[str, Match]:
    return {name: match(plan) for name, plan in plans.items()}


@pytest.mark.parametrize("page", ["methods/match.md", "methods/chains.md", "kalundborg.md"])
def test_what_the_pages_say_is_so(page: str) -> None:
    assert doctest.testfile(str(DOCS / page), module_relative=False).failed == 0


def test_offers_and_needs_are_those_of_the_balance(plans: dict[str, Plan]) -> None:
    sides, _, _ = plan_sides(plans["quickstart"])
    amounts = {(row["plant"], row["concept"]): row["amount"] for row in sides.listings.iter_rows(named=True)}
    assert amounts["power", "fly_ash"] == pytest.approx(100_000)
    assert amounts["mill", "fly_ash"] == pytest.approx(45_000)
    assert amounts["bricks", "fly_ash"] == pytest.approx(1.6 * 30_000)
    assert ("power", "electricity") not in amounts


def test_the_gain_is_the_sum_of_its_parts(found: dict[str, Match]) -> None:
    for result in found.values():
        rows = result.tables["matches"].filter(pl.col("net_gain_cny").is_not_null())
        parts = [
            pl.col(name).fill_null(0.0)
            for name in ("saved_purchase_cny", "saved_disposal_cny", "transport_cny", "processing_cny")
        ]
        gap = rows.select((pl.sum_horizontal(parts) - pl.col("net_gain_cny")).abs().max()).item()
        assert gap <= 1e-6 * rows["net_gain_cny"].abs().max()
        ranked = result.tables["matches"]["net_gain_cny"].drop_nulls()
        assert ranked.is_sorted(descending=True)


def test_no_pair_exceeds_what_both_have(found: dict[str, Match], plans: dict[str, Plan]) -> None:
    for name, result in found.items():
        sides, _, _ = plan_sides(plans[name])
        known = {(row["plant"], row["concept"]): row["amount"] for row in sides.listings.iter_rows(named=True)}
        for row in result.tables["matches"].drop_nulls("amount").iter_rows(named=True):
            assert row["amount"] <= known[row["giver"], row["offer"]] * (1 + 1e-9)
            assert row["covered"] <= known[row["taker"], row["need"]] * (1 + 1e-9)


def test_changzhi_names_hazards_of_carbide_slag(found: dict[str, Match]) -> None:
    rows = found["changzhi"].tables["matches"].filter(offer="carbide_slag")
    assert rows.height > 3
    assert rows["blockers"].str.contains("hazard_one").all()
    to_kiln = rows.filter(giver="pvc_c2h2", taker="slag_clinker", need="carbide_slag").row(0, named=True)
    assert (to_kiln["basis"], "not_built" in to_kiln["blockers"]) == ("exact", True)


def test_a_share_of_the_product_holds(found: dict[str, Match], plans: dict[str, Plan]) -> None:
    row = (
        found["changzhi"]
        .tables["matches"]
        .filter(giver="xibaitai_pp", taker="clinker_l", need="clay_shale")
        .row(0, named=True)
    )
    clinker = plans["changzhi"].tables["plants"].filter(plant="clinker_l")["activity"].item()
    assert row["amount"] == pytest.approx(0.12 * clinker)


def test_takers_name_technologies_that_do_not_stand(found: dict[str, Match]) -> None:
    rows = found["quickstart"].tables["takers"].filter(concept="fly_ash")
    stands = dict(rows.select("technology", "stands").iter_rows())
    assert stands["cement_opc"]
    assert not stands["ceramsite"]


def test_unknown_activity_still_gives_a_list(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    cyclopolis.new_plan(folder, "quickstart")
    path = folder / "plants.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("existing,1500000,1200000", "existing,1500000,"), encoding="utf-8"
    )
    rows = match(read_plan(folder)).tables["matches"].filter(giver="power", offer="fly_ash")
    assert rows.height >= 2
    assert rows["amount"].null_count() == rows.height
    assert rows["blockers"].str.contains("no_amount").all()


def test_a_commodity_of_the_user_s_own_is_understood_by_its_name(found: dict[str, Match]) -> None:
    rows = found["kalundborg"].tables["matches"].filter(offer="surplus_yeast", need="feed")
    assert rows["taker"].to_list() == ["piggeries"]


def test_kalundborg_s_exchanges_are_found_without_one_given(plans: dict[str, Plan], found: dict[str, Match]) -> None:
    assert plans["kalundborg"].tables["exchanges"].is_empty()
    real = pl.read_csv(labelled_parks().with_name("kalundborg_plan.csv"))
    keys = {"from_plant": "giver", "commodity": "offer", "to_plant": "taker"}
    rows = found["kalundborg"].tables["matches"].select(list(keys.values())).unique()
    hit = real.join(rows, left_on=list(keys), right_on=list(keys.values()), how="semi")
    assert (hit.height, real.height) == (16, 20)
    assert "Of 20 published exchanges between the actors of the example it finds **16**" in (
        DOCS / "kalundborg.md"
    ).read_text(encoding="utf-8")


def test_pictures_in_both_languages(found: dict[str, Match]) -> None:
    import plotly.graph_objects as go

    for language in ("en", "zh"):
        figures = found["changzhi"].figures(language)
        assert set(figures) == {"match_gains", "match_network", "match_sources", "match_map"}
        for figure in figures.values():
            assert go.Figure(figure).layout.title.text
    texts = found["changzhi"].figures("zh")["match_network"]["data"][0]["link"]["customdata"]
    assert any("元/年" in line for row in texts for line in row)


def test_the_same_plan_gives_the_same_bytes(plans: dict[str, Plan], found: dict[str, Match]) -> None:
    again = match(plans["changzhi"])
    assert all(again.tables[name].equals(table) for name, table in found["changzhi"].tables.items())
