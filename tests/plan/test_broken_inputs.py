"""Every broken input gives its one clear message, in both languages, and never a traceback."""

from functools import cache
from pathlib import Path

import pytest

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import catalogue
from cyclopolis.plan import check_plan, read_plan

BROKEN = sorted(path for path in (Path(__file__).parent / "broken").iterdir() if path.is_dir())


def expectation(folder: Path) -> tuple[tuple[str, ...], str]:
    lines = (folder / "expected.txt").read_text(encoding="utf-8").splitlines()
    scenario = tuple(line.removeprefix("scenario: ") for line in lines[:-1])
    return scenario, lines[-1]


@cache
def checked(folder: Path) -> tuple[Problem, ...]:
    return check_plan(folder, expectation(folder)[0])


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_one_clear_message(folder: Path) -> None:
    scenario, line = expectation(folder)
    problems = checked(folder)
    assert [problem.render("en").replace(str(folder), "PLAN") for problem in problems] == [line]
    assert all("\u4e00" <= letter <= "\u9fff" for letter in problems[0].render("zh")[:2])
    if problems[0].severity == "error":
        with pytest.raises(UserError) as caught:
            read_plan(folder, scenario)
        assert caught.value.problems == problems
    else:
        assert read_plan(folder, scenario).notices == problems


def test_the_folder_is_as_rich_as_the_messages() -> None:
    """Each message about a plan's content is shown by a broken folder, or by a test of its own named here."""
    elsewhere = {
        "plan.no_such_path", "plan.cannot_open", "plan.not_a_plan", "plan.no_plan_sheet", "plan.workbook_broken",
        "plan.sheet_broken", "plan.csv_broken", "plan.error_cell", "plan.merged_header", "plan.merged_cells",
        "plan.key_nested", "plan.not_whole", "plan.empty_list", "plan.excludes_one", "plan.scenario_twice",
        "plan.based_on", "plan.scenario_changes", "plan.change_add", "plan.change_plan", "plan.folder_taken",
        "plan.cannot_write", "plan.percent_small", "plan.row_of",
    }  # fmt: skip
    shown = {problem.text.key for folder in BROKEN for problem in checked(folder)}
    content = {key for key in catalogue() if key.startswith("plan.") and not key.startswith("plan.template")}
    assert content - shown == elsewhere


def test_all_problems_of_all_tables_at_once(write_plan) -> None:
    folder = write_plan(
        {
            "sites.csv": "site,kind\npark,prak\n",
            "plants.csv": "plant,site,technology,status,capacity\n"
            "a,park,coal_powr,existing,ten\nb,park,coal_power,new,5\n",
            "limits.csv": "scope,quantity,max\npakr,water,5\n",
        }
    )
    found = [(problem.file, problem.row, problem.column, problem.suggestion) for problem in check_plan(folder)]
    assert found == [
        ("sites.csv", 2, "kind", "park"),
        ("plants.csv", 2, "technology", "coal_power"),
        ("plants.csv", 2, "capacity", ""),
        ("plants.csv", 3, "status", ""),
        ("limits.csv", 2, "scope", "park"),
    ]
