"""Missing technologies, sinks, chain maps and weak linkage."""

from pathlib import Path

import polars as pl
import pytest

import cyclopolis
from cyclopolis.industry.chains.chains import Chains, chains
from cyclopolis.industry.chains.maps import system_links
from cyclopolis.industry.chains.missing import annuity, intake, prices
from cyclopolis.library import load_library
from cyclopolis.plan import Plan, read_plan

NAMES = ("quickstart", "changzhi", "liupanshui")
SYSTEMS = {
    "aluminium",
    "building_materials",
    "carbide_chlor_alkali",
    "city",
    "coal",
    "coking",
    "food",
    "gasification",
    "medicine",
    "phosphate",
    "steel",
}


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {name: read_plan(cyclopolis.example(name)) for name in NAMES}


@pytest.fixture(scope="module")
def found(plans: dict[str, Plan]) -> dict[str, Chains]:
    return {name: chains(plan) for name, plan in plans.items()}


def test_every_system_of_the_issue_is_there() -> None:
    assert set(load_library().systems["system"]) == SYSTEMS
    assert load_library().systems.filter("anchor")["system"].n_unique() == len(SYSTEMS)


def test_links_join_what_one_gives_and_the_other_takes() -> None:
    library = load_library()
    links = system_links(library)
    assert set(links["system"]) == SYSTEMS
    out = library.recipes.filter(direction="out").select(from_technology="technology", commodity="commodity")
    taken = intake(library).select(to_technology="technology", commodity="commodity")
    assert links.join(out, on=["from_technology", "commodity"], how="anti").is_empty()
    assert links.join(taken, on=["to_technology", "commodity"], how="anti").is_empty()
    tar = links.filter(system="coking", from_technology="coking", commodity="coal_tar")
    assert tar["to_technology"].to_list() == ["tar_distillation"]


def test_a_big_cement_mill_takes_a_twentieth_of_a_big_acid_plant_s_gypsum(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    cyclopolis.new_plan(folder, "quickstart")
    path = folder / "plants.csv"
    text = path.read_text(encoding="utf-8").replace("existing,600000,500000", "existing,1500000,0")
    path.write_text(text, encoding="utf-8")
    sinks = chains(read_plan(folder)).tables["sinks"].filter(plant="mill", commodity="fgd_gypsum")
    row = sinks.row(0, named=True)
    assert row["takes"] == pytest.approx(75_000)
    assert row["takes_low"] <= 60_000
    assert row["takes_high"] >= 75_000


def test_a_sink_without_capacity_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    cyclopolis.new_plan(folder, "quickstart")
    path = folder / "plants.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("existing,600000,500000", "existing,,"), encoding="utf-8")
    result = chains(read_plan(folder))
    assert result.tables["sinks"].filter(plant="mill")["takes"].null_count() > 0
    assert ("mill", "sink_no_capacity") in result.tables["unknowns"].select("plant", "reason").rows()


def test_break_even_of_gangue_bricks_by_hand(plans: dict[str, Plan], found: dict[str, Chains]) -> None:
    plan = plans["changzhi"]
    row = found["changzhi"].tables["missing"].filter(technology="gangue_brick").row(0, named=True)
    worth = {name: (buy, sell) for name, buy, sell in prices(plan).select("commodity", "buy", "sell").iter_rows()}
    head = plan.library.technologies.filter(technology="gangue_brick").row(0, named=True)
    recipe = dict(plan.library.recipes.filter(technology="gangue_brick").select("commodity", "amount").iter_rows())
    margin = worth["brick"][1] + recipe["heat_medtemp"] * worth["heat_medtemp"][1]
    margin -= sum(recipe[name] * worth[name][0] for name in ("clay_shale", "electricity")) + head["opex"]
    surplus = margin * row["capacity"] - row["capex"] * 1e6 * annuity(plan.meta.discount_rate, 20)
    assert row["unlocked"] == pytest.approx(recipe["coal_gangue"] * row["capacity"])
    assert row["break_even_gate"] == pytest.approx(surplus / row["unlocked"], rel=1e-6)
    assert row["gain_cny"] == pytest.approx(surplus + row["saved_disposal_cny"], rel=1e-6)


def test_missing_technologies_do_not_stand_and_use_no_more_than_there_is(
    plans: dict[str, Plan], found: dict[str, Chains]
) -> None:
    for name in NAMES:
        rows = found[name].tables["missing"]
        standing = set(plans[name].tables["plants"].filter(status="existing")["technology"])
        assert not standing & set(rows["technology"])
        assert (rows["share_pct"] <= 100 + 1e-9).all()
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))
        pays = (rows["gain_cny"] >= 0).fill_null(value=False)
        assert pays.cast(pl.Int8).is_sorted(descending=True)


def test_maps_count_the_links(found: dict[str, Chains]) -> None:
    for result in found.values():
        links, maps = result.tables["links"], result.tables["maps"]
        for row in maps.iter_rows(named=True):
            mine = links.filter((pl.col("site") == row["site"]) & (pl.col("system") == row["system"]))
            counts = [mine.filter(state=state).height for state in ("standing", "planned", "missing")]
            assert counts == [row["links_standing"], row["links_planned"], row["links_missing"]]
            assert row["completeness"] == pytest.approx(counts[0] / sum(counts))


def test_changzhi_s_chains(found: dict[str, Chains]) -> None:
    maps = found["changzhi"].tables["maps"]
    coking = maps.filter(site="lucheng", system="coking").row(0, named=True)
    assert (coking["anchor"], coking["anchor_enterprise"]) == ("coking_a", "coke_a")
    links = found["changzhi"].tables["links"].filter(site="", system="carbide_chlor_alkali")
    planned = links.filter(state="planned").select("from_technology", "to_technology").rows()
    assert ("acetylene_dry", "clinker_carbide_slag") in planned


def test_mugang_shares_nothing(found: dict[str, Chains]) -> None:
    row = found["liupanshui"].tables["weak"].filter(site="mugang").row(0, named=True)
    assert (row["enterprises"], row["industries"], row["plants"], row["reason"]) == (100, 6, 0, "no_plants")


def test_annuity_pays_back() -> None:
    for rate in (0.0, 0.05, 0.12):
        paid = sum(annuity(rate, 20) / (1 + rate) ** year for year in range(1, 21))
        assert paid == pytest.approx(1.0)


def test_pictures_names_and_saving(found: dict[str, Chains], tmp_path: Path) -> None:
    import plotly.graph_objects as go

    result = found["liupanshui"]
    for language in ("en", "zh"):
        figures = result.figures(language)
        assert set(figures) == {"chains_missing", "chains_parks", "chains_links"}
        assert all(go.Figure(figure).data for figure in figures.values())
    result.save(tmp_path / "c")
    again = Chains.load(tmp_path / "c")
    assert all(again.tables[name].equals(table) for name, table in result.tables.items())
    assert len(result.summary()) == 7
