"""One design for several scenarios: extremes known beforehand, and values that must stand in order."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from test_design_small_plans import FREE, built, with_values

import cyclopolis
from cyclopolis.cli.build import build
from cyclopolis.design.engine import design
from cyclopolis.design.pose import DesignOptions
from cyclopolis.design.under import UnderOptions, design_under
from cyclopolis.design.under.engine import _mean_of_worst
from cyclopolis.foundation.problems import UserError
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
    typed = ["design", str(folder), "--under", "good=3, bad=1", "--worst", "0.5", "--lang", "en"]
    found = CliRunner().invoke(build("en"), typed)
    assert found.exit_code == 0, found.output
    assert "worst 50 % of outcomes" in found.output
    saved = cyclopolis.Under.load(folder / "results" / "base" / "under")
    assert saved.tables["scenarios"]["chance"].to_list() == [0.75, 0.25]
    table = saved.tables["scenarios"]
    assert saved.facts["cvar"] == pytest.approx(0.5 * table["objective"].sum(), rel=1e-9)


@pytest.mark.parametrize("text", ["dry=0.3,wet", "dry=much", "dry,dry"])
def test_weights_that_cannot_be_read_are_refused(text):
    with pytest.raises(UserError, match="weights above nought"):
        weighted(text)
