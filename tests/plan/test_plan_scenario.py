"""Scenarios: laid over before checking, composed in order, every override checked."""

from pathlib import Path

import pytest

from cyclopolis.plan import check_plan, read_plan

DRY = """
based_on = []
[[change]]
action = "set"
table = "limits"
where = { scope = "park", quantity = "用水" }
column = "max"
value = 100

[[change]]
action = "scale"
table = "plants"
where = "状态=已建"
column = "产量"
value = "50%"
"""
GROWN = """
based_on = ["dry"]
[[change]]
action = "scale"
table = "limits"
column = "max"
value = 3

[[change]]
action = "add"
table = "limits"
value = { scope = "park", quantity = "SO2", max = 500 }

[[change]]
action = "remove"
table = "plants"
where = { plant = "mill" }

[[change]]
action = "set"
table = "plan"
column = "discount_rate"
value = 0.1
"""
LIMITS = "scope,quantity,max\npark,water,300\n"


def write(write_plan, **scenarios: str) -> Path:
    files = {f"scenarios/{name}.toml": text for name, text in scenarios.items()}
    return write_plan({"limits.csv": LIMITS, **files})


def test_changes_are_laid_over(write_plan) -> None:
    folder = write(write_plan, dry=DRY)
    plain, dry = read_plan(folder), read_plan(folder, ["dry"])
    assert plain.tables["limits"]["max"].to_list() == [300.0]
    assert dry.tables["limits"]["max"].to_list() == [100.0]
    assert dry.tables["plants"]["activity"].to_list() == [None, 250000.0, 600000.0]
    assert dry.scenario == ("dry",)
    assert set(dry.inputs) - set(plain.inputs) == {"scenarios/dry.toml"}


def test_scenarios_compose_in_order(write_plan) -> None:
    folder = write(write_plan, dry=DRY, grown=GROWN)
    grown = read_plan(folder, "grown")
    assert grown.tables["limits"].select("quantity", "max").rows() == [("so2", 500.0), ("water", 300.0)]
    assert grown.tables["plants"]["plant"].to_list() == ["bricks", "power"]
    assert grown.meta.discount_rate == 0.1
    both = read_plan(folder, ["grown", "dry"])
    assert both.tables["limits"].equals(grown.tables["limits"])
    assert both.scenario == ("grown", "dry")


def test_the_table_of_scenarios_does_the_same(write_plan) -> None:
    table = (
        "情景,操作,表,条件,列,值\n"
        "dry,设值,limits,scope=park; quantity=water,max,100\n"
        "dry,缩放,装置,status=existing,activity,0.5\n"
        "other,新增,limits,,,quantity=so2; max=5\n"
    )
    by_file = read_plan(write(write_plan, dry=DRY), ["dry"])
    folder = write_plan({"limits.csv": LIMITS, "scenarios.csv": table})
    (folder / "scenarios" / "dry.toml").unlink()
    by_table = read_plan(folder, ["dry"])
    for name in ("limits", "plants"):
        assert by_file.tables[name].equals(by_table.tables[name])
    other = read_plan(folder, ["other"])
    assert other.tables["limits"].select("scope", "quantity", "max").rows() == [
        (None, "so2", 5.0),
        ("park", "water", 300.0),
    ]
    write(write_plan, dry=DRY)
    assert [problem.text.key for problem in check_plan(folder, ["dry"])] == ["plan.scenario_twice"]


def test_an_empty_value_makes_a_cell_unknown(write_plan) -> None:
    text = '[[change]]\naction = "set"\ntable = "plants"\nwhere = { plant = "mill" }\ncolumn = "activity"\nvalue = ""\n'
    plan = read_plan(write(write_plan, unknown=text), ["unknown"])
    assert plan.tables["plants"].filter(plant="mill")["activity"].to_list() == [None]
    assert [(p.text.key, p.file, p.row) for p in plan.notices] == [("plan.no_activity", "scenarios/unknown.toml", 1)]
    text = '[[change]]\naction = "remove"\ntable = "plants"\nwhere = { activity = "" }\n'
    plan = read_plan(write(write_plan, known=text), ["known"])
    assert plan.tables["plants"]["plant"].to_list() == ["mill", "power"]


def test_where_compares_values_not_spellings(write_plan) -> None:
    text = (
        '[[change]]\naction = "set"\ntable = "plants"\nwhere = { capacity = "1.5e6" }\ncolumn = "note"\nvalue = "x"\n'
    )
    plan = read_plan(write(write_plan, a=text), ["a"])
    assert plan.tables["plants"]["note"].to_list() == [None, None, "x"]


@pytest.mark.parametrize(
    ("text", "key", "row"),
    [
        ('based_on = "nobody"\n', "plan.unknown_scenario", None),
        ("based_on = [1]\n", "plan.based_on", None),
        ("change = 5\n", "plan.scenario_changes", None),
        ('\n\n[[change]]\naction = "multiply"\ntable = "plants"\n', "plan.not_a_choice", 3),
        ('[[change]]\naction = "add"\ntable = "plants"\n', "plan.change_add", 1),
        ('[[change]]\naction = "remove"\ntable = "plan"\n', "plan.change_plan", 1),
        ('[[change]]\naction = "remove"\ntable = "scenarios"\n', "plan.change_table", 1),
        ('[[change]]\naction = "scale"\ntable = "plan"\ncolumn = "name"\nvalue = 2\n', "plan.change_unknown", 1),
        ('[[change]]\naction = "scale"\ntable = "plants"\ncolumn = "activity"\nvalue = "x"\n', "plan.not_a_number", 1),
        ('[[change]]\naction = "remove"\ntable = "sites"\nwere = "site=park"\n', "plan.unknown_key", 1),
        ('changes = []\n', "plan.unknown_key", None),
        ('[[change]\n', "plan.toml_broken", None),
        ('[[change]]\naction = "add"\ntable = "limits"\nvalue = "quantity=watr;max=5"\n', "plan.not_a_choice", 1),
        ('[[change]]\naction = "add"\ntable = "sites"\nvalue = "site=park;kind=park"\n', "plan.duplicate_id", 1),
        ('[[change]]\naction = "add"\ntable = "limits"\nvalue = "scope=park"\n', "plan.empty_cell", 1),
    ],
)  # fmt: skip
def test_each_override_is_checked(write_plan, text: str, key: str, row: int | None) -> None:
    problems = check_plan(write(write_plan, bad=text), ["bad"])
    assert problems[0].text.key == key
    if key != "plan.unknown_scenario":
        assert (problems[0].file, problems[0].row) == ("scenarios/bad.toml", row)


def test_a_removed_site_leaves_its_plants_homeless(write_plan) -> None:
    text = '[[change]]\naction = "remove"\ntable = "sites"\nwhere = "site=park"\n'
    problems = check_plan(write(write_plan, gone=text), ["gone"])
    assert {problem.text.key for problem in problems} == {"plan.unknown_id"}
    assert [problem.row for problem in problems] == [2, 3, 4, 2]
