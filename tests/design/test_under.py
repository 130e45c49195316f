"""One design for several scenarios: extremes known beforehand, and values that must stand in order."""

import json
import shutil
import tomllib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from test_design_small_plans import FREE, built, with_values
from xlsxwriter import Workbook

import cyclopolis
from cyclopolis.cli.build import build
from cyclopolis.design.engine import design
from cyclopolis.design.pareto import ParetoOptions
from cyclopolis.design.pose import DesignOptions, posing
from cyclopolis.design.under import UnderOptions, design_under
from cyclopolis.design.under.engine import _mean_of_worst
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import say
from cyclopolis.study.under import weighted

EXACT = UnderOptions(gap=1e-9)


def priced(price: float):
    """Return the park with another price of bricks."""
    here = pl.col("commodity") == "brick"
    markets = FREE.tables["markets"].with_columns(
        sell_price=pl.when(here).then(pl.lit(price)).otherwise(pl.col("sell_price"))
    )
    return replace(FREE, tables={**FREE.tables, "markets": markets})


GOOD, BAD = priced(360.0), priced(200.0)


@pytest.fixture(scope="module")
def both():
    return design_under(FREE, {"good": GOOD, "bad": BAD}, (3.0, 1.0), EXACT)


def test_one_scenario_is_its_own_design():
    found = design_under(FREE, {"good": GOOD}, (), EXACT)
    own = design(GOOD, DesignOptions(gap=1e-9, explain=0))
    assert found.facts["expected"] == pytest.approx(own.facts["objective"], rel=1e-9)
    assert set(found.tables["builds"]["plant"]) == built(own)
    assert found.facts["perfect_information"] == pytest.approx(0.0, abs=1.0)
    assert found.facts["stochastic_solution"] == pytest.approx(0.0, abs=1.0)


def test_foreseen_is_best_and_unaware_is_worst(both):
    facts, table = both.facts, both.tables["scenarios"]
    assert table["chance"].to_list() == [0.75, 0.25]
    assert (table["regret"].to_numpy() >= -1.0).all()
    assert facts["perfect_information"] >= -1.0
    assert facts["stochastic_solution"] >= -1.0
    assert facts["expected"] == pytest.approx(facts["objective"], rel=1e-9)
    assert facts["expected"] == pytest.approx(0.75 * table["objective"][0] + 0.25 * table["objective"][1])


def test_each_scenario_runs_what_all_have_built(both):
    """What the shared design brings is the best of building bricks or not, decided by hand."""
    totals = {}
    for status in ("planned", None):
        values = []
        for plan in (GOOD, BAD):
            forced = with_values(
                plan, "plants", "plant", "bricks", **({"status": "planned"} if status else {"build_from": 2099})
            )
            values.append(design(forced, DesignOptions(gap=1e-9, explain=0)).facts["objective"])
        totals[status] = 0.75 * values[0] + 0.25 * values[1]
    assert both.facts["expected"] == pytest.approx(max(totals.values()), rel=1e-6)
    assert ("bricks" in set(both.tables["builds"]["plant"])) is (totals["planned"] > totals[None])


def test_who_fears_the_worst_gives_up_some_of_the_mean(both):
    careful = design_under(FREE, {"good": GOOD, "bad": BAD}, (3.0, 1.0), replace(EXACT, worst=0.25))
    assert careful.facts["expected"] <= both.facts["expected"] + 1.0
    assert careful.facts["cvar"] == pytest.approx(careful.tables["scenarios"]["objective"].min(), rel=1e-9)
    assert careful.facts["cvar"] >= both.tables["scenarios"]["objective"].min() - 1.0
    assert careful.facts["cvar"] == pytest.approx(careful.facts["objective"], rel=1e-6)


def test_the_mean_of_the_worst_counts_part_of_a_scenario():
    values, chances = np.array([10.0, 0.0, 20.0]), np.array([0.5, 0.2, 0.3])
    assert _mean_of_worst(values, chances, 0.4) == pytest.approx((0.2 * 0 + 0.2 * 10) / 0.4)
    assert _mean_of_worst(values, chances, 1.0) == pytest.approx(11.0)


@pytest.mark.parametrize("bad", [(1.0,), (1.0, 0.0)])
def test_weights_must_make_sense(bad):
    with pytest.raises(UserError, match="weights above nought"):
        design_under(FREE, {"good": GOOD, "bad": BAD}, bad)


def test_scenarios_may_not_differ_in_what_can_be_built():
    larger = with_values(GOOD, "plants", "plant", "bricks", capacity=45_000.0)
    with pytest.raises(UserError, match="bricks"):
        design_under(FREE, {"larger": larger})


def test_scenarios_are_named_with_weights_on_the_command_line(tmp_path):
    folder = tmp_path / "park"
    cyclopolis.new_plan(folder, "quickstart")
    (folder / "scenarios").mkdir()
    for name, price in (("good", 360), ("bad", 200)):
        (folder / "scenarios" / f"{name}.toml").write_text(
            f'[[change]]\naction = "set"\ntable = "markets"\nwhere = "commodity=brick"\n'
            f'column = "sell_price"\nvalue = {price}\n',
            encoding="utf-8",
        )
    typed = ["design", str(folder), "--under", "good=3, bad=1", "--worst", "0.5", "--check", "--lang", "en"]
    found = CliRunner().invoke(build("en"), typed)
    assert found.exit_code == 0, found.output
    assert "worst 50 % of outcomes" in found.output
    assert "independent checker" in found.output
    saved = cyclopolis.Under.load(folder / "results" / "base" / "under")
    assert saved.tables["scenarios"]["chance"].to_list() == [0.75, 0.25]
    table = saved.tables["scenarios"]
    assert saved.facts["cvar"] == pytest.approx(0.5 * table["objective"].sum(), rel=1e-9)
    assert table["violations"].to_list() == [0, 0]
    # what it rests on is written down, the report shows it, and it is stale once a scenario changes
    known = cyclopolis.load_run(folder).results
    assert {"scenarios/good.toml", "scenarios/bad.toml", "plants.csv"} <= set(known["under"].inputs)
    manifest = json.loads((folder / "results" / "base" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["engines"]["under"] == {"under": "good=3, bad=1", "worst": 0.5}
    found = CliRunner().invoke(build("zh"), ["report", str(folder), "--lang", "zh"])
    assert found.exit_code == 0, found.output
    page = (folder / "results" / "base" / "report.html").read_text(encoding="utf-8")
    assert say("report.under_scenarios", "zh") in page
    with (folder / "scenarios" / "bad.toml").open("a", encoding="utf-8") as file:
        file.write("# looked at again\n")
    with pytest.raises(UserError):
        cyclopolis.load_run(folder)


def test_scenarios_of_a_workbook_are_found_in_it(tmp_path):
    folder = tmp_path / "park"
    cyclopolis.new_plan(folder, "quickstart")
    meta = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))
    sheets = {"plan": [[key, ";".join(map(str, value)) if isinstance(value, list) else str(value)]
                       for key, value in meta.items()]}  # fmt: skip
    for path in sorted(folder.glob("*.csv")):
        frame = pl.read_csv(path, infer_schema=False)
        sheets[path.stem] = [frame.columns, *map(list, frame.rows())]
    sheets["scenarios"] = [
        ["scenario", "action", "table", "where", "column", "value"],
        ["dear", "set", "markets", "commodity=brick", "sell_price", "380"],
    ]
    with Workbook(tmp_path / "park.xlsx") as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    shutil.rmtree(folder)
    done = cyclopolis.run(tmp_path / "park.xlsx", until="under", options={"under": "dear"})
    assert done.results["under"].tables["scenarios"]["scenario"].to_list() == ["dear"]


def test_the_figure_has_a_bar_for_each_design_and_scenario(both):
    drawn = both.figures("en")["scenarios"]["data"]
    columns = ("objective", "foreseen", "unaware")
    assert [trace["y"] for trace in drawn] == [both.tables["scenarios"][name].to_list() for name in columns]
    assert all(trace["x"] == ["good", "bad"] for trace in drawn)


def test_lines_and_chains_are_asked_for_as_of_a_single_design():
    options = UnderOptions(pipes=True, one_chain=True, flexible=True, pieces=2, gap=0.01)
    assert posing(options) == DesignOptions(
        gap=0.01, time_limit=options.time_limit, pieces=2, pipes=True, one_chain=True, flexible=True
    )
    asked = posing(ParetoOptions(pipes=True, year=2030))
    assert (asked.pipes, asked.year, asked.one_chain) == (True, 2030, False)


@pytest.mark.parametrize("text", ["dry=0.3,wet", "dry=much", "dry,dry"])
def test_weights_that_cannot_be_read_are_refused(text):
    with pytest.raises(UserError, match="weights above nought"):
        weighted(text)
