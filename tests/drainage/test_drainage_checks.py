"""Bad input: one clear message each, with file, row and column."""

import pytest
from drainage_places import TABLES, write

from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.plan import check_plan

CASES = [
    ("storms", "贵阳,2,60", ",2,60", "storm_parameters", "error"),
    ("storms", "贵阳", "Atlantis", "storm_city", "error"),
    ("storms", "贵阳,2,60", "贵阳,,60", "storm_period", "error"),
    ("storms", "formula,贵阳", "series,", "storm_series", "error"),
    ("storms", "formula,贵阳", "model,", "storm_series", "error"),
    ("storms", TABLES["storms"], "storm,kind,series\nP2,series,gone\n", "no_rain", "error"),
    ("storms", TABLES["storms"], "storm,kind,series\nP2,model,2-yr\n", "storm_model", "error"),
    ("storms", "P2,formula,贵阳,2,60\n", "", "no_storms", "notice"),
    ("catchments", "loam,J2", "loam,J9", "no_such_outlet", "error"),
    ("catchments", "井1,河口,100", "井1,,100", "separated_where", "error"),
    ("catchments", "loam,J2", "loam,meadow", "catchment_ring", "error"),
    ("catchments", "工业区,4,", "工业区,0,", "not_positive", "error"),
    ("conduits", "J3,plant", "J3,plamt", "pipe_to_nowhere", "error"),
    ("conduits", "J3,plant", "J3,J3", "pipe_ring", "error"),
    ("conduits", "P1,井1", "P1,plant", "pipe_from_outlet", "error"),
    ("conduits", "P3,J3,plant,80,0.8\n", "", "no_way_out", "error"),
    ("junctions", "J2,101", "J2,103", "pipe_uphill", "notice"),
    ("junctions", "J3,100,3", "river,100,3", "name_of_two", "error"),
    ("outlets", "河口,99,storm,", "河口,99,storm,5", "capacity_of_storm", "error"),
    ("measures", "3000,6000", "7000,6000", "measure_crossed", "error"),
    ("measures", "living,green_roof", "nowhere,green_roof", "unknown_catchment", "error"),
    ("measures", "3000,6000", "30000,60000", "measures_on_impervious", "error"),
    ("measures", "600,1500", "60000,60000", "measures_on_pervious", "error"),
]


@pytest.mark.parametrize(("table", "old", "new", "key", "severity"), CASES, ids=lambda value: str(value)[:18])
def test_one_clear_message(tmp_path, table, old, new, key, severity) -> None:
    assert old in TABLES[table]
    problems = check_plan(write(tmp_path, **{table: TABLES[table].replace(old, new)}))
    mine = [problem for problem in problems if problem.text.key == f"drainage.{key}"]
    assert mine, [problem.render("en") for problem in problems]
    assert all(problem.severity == severity for problem in mine)
    assert all(len(problem.render(language)) > 20 for problem in mine for language in LANGUAGES)
    assert mine[0].file.endswith(".csv")


@pytest.mark.parametrize(
    ("table", "text", "key"),
    [
        ("measure_layers", "measure,layer,parameter,value\ngreen_roof,SOIL,thicknes,100\n", "no_parameter"),
        ("drainage_models", "variant,inp\nsponge,x.inp\n", "no_grey"),
        ("drainage_models", "variant,inp\ngrey,x.inp\n", "model_and_catchments"),
        ("daily_rain", "date,depth_mm\n1.2.2020,5\n", "not_a_day"),
        ("daily_rain", "date,depth_mm\n2020-02-01,5\n", "few_years"),
    ],
)
def test_other_tables(tmp_path, table, text, key) -> None:
    keys = [problem.text.key for problem in check_plan(write(tmp_path, **{table: text}))]
    assert f"drainage.{key}" in keys


def test_the_town_is_sound(tmp_path) -> None:
    assert [problem.render("en") for problem in check_plan(write(tmp_path))] == []


def test_plants_may_be_left_out_only_where_there_is_something_else(tmp_path) -> None:
    bare = dict.fromkeys([name for name in TABLES if name != "sites"])
    keys = [problem.text.key for problem in check_plan(write(tmp_path, **bare))]
    assert keys == ["plan.missing_table"]
