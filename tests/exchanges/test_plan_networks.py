"""From tables to answers: a park's water and heat, its pictures, what is saved, and what is said to bad tables."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

import cyclopolis
from cyclopolis.cli.start import main
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.heat.heat import HeatRecovery
from cyclopolis.industry.exchanges.quality.water import WaterNetwork
from cyclopolis.plan import check_plan, read_plan

OPERATIONS = """operation,plant,commodity,contaminant,load,load_unit,inlet_max,outlet_max,flow_in,flow_out,unit,source
wash,power,freshwater,salt,2,kg/h,0,100,,,,assumed
rinse,power,freshwater,salt,5,kg/h,50,100,,,,assumed
scrub,mill,freshwater,salt,30,kg/h,50,800,,,,assumed
cool,mill,freshwater,salt,4,kg/h,400,800,,,,assumed
"""
SUPPLIES = """supply,kind,commodity,contaminant,concentration,source
river,fresh,freshwater,salt,0,assumed
"""
STREAMS = """stream,plant,kind,supply_temperature,target_temperature,duty,heat_capacity_flow,contribution,source
h1,power,hot,150,60,,2,10,assumed
h2,power,hot,90,60,240,,10,assumed
c1,mill,cold,20,125,,2.5,10,assumed
c2,mill,cold,25,100,,3,10,assumed
"""
UTILITIES = """utility,kind,supply_temperature,target_temperature,cost,duty_max,site,source
boiler,hot,300,299,0.2,,,assumed
pond,cold,10,15,0.01,,,assumed
main,steam,100,,,,,assumed
town,heating,70,40,0.3,50,park,assumed
"""
HOURS = 8760.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plan") / "park"
    cyclopolis.new_plan(place, "quickstart")
    tables = {"operations": OPERATIONS, "supplies": SUPPLIES, "heat_streams": STREAMS, "heat_utilities": UTILITIES}
    for name, text in tables.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def water(folder: Path) -> WaterNetwork:
    return cyclopolis.water(read_plan(folder))


@pytest.fixture(scope="module")
def heat(folder: Path) -> HeatRecovery:
    return cyclopolis.heat(read_plan(folder))


def test_the_published_targets_come_out_of_a_plan(water: WaterNetwork) -> None:
    row = water.tables["networks"].row(0, named=True)
    assert row["fresh_without_reuse"] == pytest.approx(112.5 * HOURS)
    assert row["fresh_together"] == row["fresh_least"] == pytest.approx(90.0 * HOURS)
    assert row["pinch_fresh"] == pytest.approx(90.0 * HOURS)
    assert row["pinch_ppm"] == "100"
    assert row["fresh_apart"] >= row["fresh_together"]
    assert row["status"] == "optimal"


def test_flows_and_members_add_up(water: WaterNetwork) -> None:
    links, members = water.tables["connections"], water.tables["members"]
    row = water.tables["networks"].row(0, named=True)
    by_kind = dict(links.group_by("kind").agg(pl.col("flow").sum()).iter_rows())
    assert by_kind["fresh"] == pytest.approx(row["fresh_together"])
    assert by_kind["discharge"] == pytest.approx(row["discharged"])
    assert by_kind.get("exchange", 0.0) == pytest.approx(row["cross_flow"])
    assert members["fresh_together"].sum() == pytest.approx(row["fresh_together"])
    assert members["received"].sum() == pytest.approx(members["given"].sum())
    assert members["fresh_apart"].sum() == pytest.approx(row["fresh_apart"])
    over = water.tables["qualities"].filter(pl.col("concentration") > pl.col("limit") * (1 + 1e-6) + 1e-6)
    assert over.is_empty()
    exchanged = links.filter(kind="exchange")
    assert (exchanged["distance_km"] > 0).all()
    assert exchanged["pipe_cost"].sum() == pytest.approx(row["pipe_cost"])


def test_the_heat_targets_of_linnhoff_come_out_of_a_plan(heat: HeatRecovery) -> None:
    targets = heat.tables["targets"]
    together = targets.filter(scope="together").row(0, named=True)
    assert (together["hot"], together["cold"], together["pinch"]) == (107.5, 40.0, "80")
    apart = targets.filter(scope="apart").row(0, named=True)
    assert (apart["hot"], apart["cold"]) == (487.5, 420.0)
    duties = dict(heat.tables["utilities"].select("utility", "duty").iter_rows())
    assert duties == pytest.approx({"boiler": 107.5, "pond": 40.0}, abs=1e-4)
    steam = heat.tables["steam"]
    assert steam["used"].sum() == pytest.approx(steam["raised"].sum())
    assert steam["used"].sum() > 0
    heating = heat.tables["heating"].filter(pl.col("sent") > 0)
    assert heating["sent"].sum() <= heating["most"].sum() + 1e-6
    assert heating["arriving"].sum() <= 50.0 + 1e-6


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_and_summaries_in_both_languages(water: WaterNetwork, heat: HeatRecovery, language) -> None:
    figures = {**water.figures(language), **heat.figures(language)}
    assert {"composite_freshwater_salt", "surplus_freshwater", "connections_freshwater"} <= set(figures)
    assert {"composite", "grand_composite", "composite_mill"} <= set(figures)
    assert all(figure["data"] and figure["layout"]["title"]["text"] for figure in figures.values())
    json.dumps(figures)
    assert all(line.name.render(language) for line in (*water.summary(), *heat.summary()))


def test_answers_come_back_as_they_were_saved(water: WaterNetwork, heat: HeatRecovery, tmp_path: Path) -> None:
    for result in (water, heat):
        result.save(tmp_path / result.engine)
        again = type(result).load(tmp_path / result.engine)
        assert all(again.tables[name].equals(table) for name, table in result.tables.items())


def test_order_of_rows_changes_nothing(folder: Path, water: WaterNetwork, tmp_path: Path) -> None:
    place = tmp_path / "again"
    cyclopolis.new_plan(place, "quickstart")
    head, *rows = OPERATIONS.strip().split("\n")
    (place / "operations.csv").write_text("\n".join([head, *rows[::-1]]) + "\n")
    (place / "supplies.csv").write_text(SUPPLIES)
    again = cyclopolis.water(read_plan(place))
    assert all(again.tables[name].equals(table) for name, table in water.tables.items())


@pytest.mark.parametrize(("command", "key"), [("water", "networks"), ("heat", "targets")])
def test_the_commands_answer_in_json(folder: Path, command, key, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["cyclopolis", command, str(folder), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"]
    assert answer["tables"][key]
    assert (folder / "results" / "base" / command / "manifest.json").is_file()


def test_a_plan_without_the_tables_says_which_to_fill(tmp_path: Path) -> None:
    cyclopolis.new_plan(tmp_path / "p", "quickstart")
    plan = read_plan(tmp_path / "p")
    with pytest.raises(UserError, match="operations"):
        cyclopolis.water(plan)
    with pytest.raises(UserError, match="heat_streams"):
        cyclopolis.heat(plan)


@pytest.mark.parametrize(
    ("table", "old", "new", "key", "row", "column"),
    [
        ("operations", "5,kg/h,50,100", "5,kg/h,,100", "plan.no_quality_limit", 3, "inlet_max"),
        ("operations", "5,kg/h,50,100", "5,kg/h,100,50", "plan.limits_reversed", 3, "outlet_max"),
        ("operations", "5,kg/h,50,100,,,,", ",,50,100,,,,", "plan.operation_nothing", 3, "load"),
        ("operations", "5,kg/h,50,100,,,,", "5,kg/h,50,100,7,,m3/h,", "plan.operation_both", 3, "load"),
        ("operations", "5,kg/h,", "5,kWh/h,", "plan.unit_dimension", 3, "load_unit"),
        ("supplies", "salt,0", "salt,", "plan.no_concentration", 2, "concentration"),
        ("supplies", "salt,0", "sugar,0", "plan.contaminant_unknown", 2, "contaminant"),
        ("supplies", "fresh,freshwater,salt,0", "regeneration,freshwater,salt,", "plan.regeneration_one", 2,
         "concentration"),
        ("supplies", "fresh,freshwater", "fresh,hydrogen", "plan.supply_idle", 2, "commodity"),
        ("heat_streams", "hot,150,60", "hot,60,150", "plan.stream_reversed_hot", 2, "target_temperature"),
        ("heat_streams", "cold,25,100", "cold,100,25", "plan.stream_reversed_cold", 5, "target_temperature"),
        ("heat_streams", "90,60,240,", "90,60,,", "plan.stream_one", 3, "duty"),
        ("heat_streams", "hot,90,60,240", ",90,90,240", "plan.stream_still", 3, "kind"),
        ("heat_utilities", "300,299", "299,300", "plan.utility_reversed", 2, "target_temperature"),
        ("heat_utilities", "0.3,50,park", "0.3,50,", "plan.heating_needs", 5, "site"),
    ],
)  # fmt: skip
def test_bad_tables_get_one_clear_message(folder, tmp_path, table, old, new, key, row, column) -> None:
    place = tmp_path / "bad"
    place.mkdir()
    for source in folder.iterdir():
        if source.is_file():
            text = source.read_text(encoding="utf-8")
            if source.name == f"{table}.csv":
                assert old in text
                text = text.replace(old, new)
            (place / source.name).write_text(text, encoding="utf-8")
    errors = [one for one in check_plan(place) if one.severity == "error"]
    assert [(one.text.key, one.file, one.row, one.column) for one in errors][:1] == [(key, f"{table}.csv", row, column)]
    assert len(errors) == (2 if key == "plan.contaminant_unknown" else 1)
