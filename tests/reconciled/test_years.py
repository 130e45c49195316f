"""Several years at once: own measurements, shared transfer coefficients, all against least squares written out."""

import numpy as np
import polars as pl
import pytest
from test_two_plants import measured, row
from tiny_park import tiny_plan

from cyclopolis.industry import balance
from cyclopolis.industry.metabolism.plan_reconcile_whole import years_of


def share(value, sd, **more):
    return {"plant": "boiler", "commodity": "ash", "of_commodity": "coal", "share": value, "uncertainty": sd, **more}


def pair(year, coal, ash, sds=(40.0, 10.0)):
    return [
        measured("boiler", "coal", "in", coal, sds[0]) | {"year": year},
        measured("boiler", "ash", "out", ash, sds[1]) | {"year": year},
    ]


def of(result, commodity, year, **more):
    return row(result, "reconciled", kind="port", plant="boiler", commodity=commodity, year=year, **more)


@pytest.fixture(scope="module")
def two_years():
    rows = [*pair(2024, 4000.0, 1010.0), *pair(2023, 4200.0, 1020.0)]
    return tiny_plan(exchanges=[], measurements=rows, shares=[share(0.26, 0.02)])


def test_a_share_of_all_years_learns_from_each(two_years):
    # Unknowns: coal and ash of both years, the share, activity of both; recipes 10 %, stated activity (2024 only) 5 %.
    guess = np.array([10_000.0, (4200 / 0.4 + 1020 / 0.1) / 2])  # scale of the recipes' uncertainty

    def rest(z):
        coal, run = z[:2], z[2:4]
        ash = z[4] * coal
        return np.concatenate(
            [
                (coal - [4000, 4200]) / 40,
                (ash - [1010, 1020]) / 10,
                [(z[4] - 0.26) / 0.02, (run[0] - 10_000) / 500],
                (coal - 0.4 * run) / (0.04 * guess),
                (ash - 0.1 * run) / (0.01 * guess),
            ]
        )

    from scipy.optimize import least_squares

    found = least_squares(rest, [4000, 4200, 10_000, 10_500, 0.25], x_scale=[1e3, 1e3, 1e4, 1e4, 0.1], xtol=1e-14)
    result = balance(two_years)
    assert of(result, "coal", 2024)["reconciled"] == pytest.approx(found.x[0], rel=1e-7)
    assert of(result, "coal", 2023)["reconciled"] == pytest.approx(found.x[1], rel=1e-7)
    shared = row(result, "reconciled", kind="yield")
    assert (shared["reconciled"], shared["year"]) == (pytest.approx(found.x[4], rel=1e-7), None)
    test = row(result, "reconcile_tests")
    assert test["chi_square"] == pytest.approx(2 * found.cost, rel=1e-6)
    assert (test["measurements"], test["converged"]) == (5, True)


def test_a_share_of_one_year_says_nothing_of_another(two_years):
    rows = [*pair(2024, 4000.0, 1010.0), *pair(2023, 4200.0, 1020.0)]
    own = balance(tiny_plan(exchanges=[], measurements=rows, shares=[share(0.26, 0.02, year=2024)]))
    alone = balance(tiny_plan(exchanges=[], measurements=rows[:2], shares=[share(0.26, 0.02, year=2024)]))
    assert of(own, "coal", 2024)["reconciled"] == pytest.approx(of(alone, "coal", 2024)["reconciled"], rel=1e-9)
    both = balance(two_years)
    assert of(both, "coal", 2024)["reconciled"] != pytest.approx(of(alone, "coal", 2024)["reconciled"], rel=1e-6)


def test_the_base_year_alone_settles_the_plan(two_years):
    result = balance(two_years)
    assert row(result, "ports", plant="boiler", commodity="coal")["amount"] == pytest.approx(
        of(result, "coal", 2024)["reconciled"]
    )
    counted = row(result, "reconciled_plants", plant="boiler")["measurements"]
    assert counted == 3  # two readings and the share; those of 2023 are not the base year's


def test_years_are_named_and_sorted(two_years):
    assert years_of(two_years) == (2024, 2023)
    years = balance(two_years).tables["reconciled"]["year"].unique().sort().to_list()
    assert years == [None, 2023, 2024]


def test_what_was_stated_holds_for_the_base_year_only():
    rows = [*pair(2024, 4000.0, 1000.0), measured("boiler", "coal", "in", 8000.0, 40.0) | {"year": 2023}]
    table = balance(tiny_plan(measurements=rows)).tables["reconciled"]
    before = table.filter((pl.col("year") == 2023) & (pl.col("plant") == "boiler") & (pl.col("kind") == "activity"))
    assert before["reconciled"].item() == pytest.approx(20_000)
    assert before["basis"].item() == "estimated"


def test_relations_hold_in_their_year():
    term = {"plant": "boiler", "commodity": "coal", "direction": "in", "relation": "scale", "coefficient": 1.0}
    rows = [*pair(2024, 4000.0, 1000.0), *pair(2023, 4200.0, 1020.0)]
    result = balance(tiny_plan(measurements=rows, relations=[term | {"amount": 4300.0, "year": 2023}]))
    assert of(result, "coal", 2023)["reconciled"] == pytest.approx(4300)
    assert of(result, "coal", 2024)["reconciled"] < 4100


def test_without_a_word_of_the_base_year_nothing_is_reconciled():
    plan = tiny_plan(measurements=pair(2023, 4000.0, 1000.0))
    assert years_of(plan) == ()
    assert balance(plan).tables["reconciled"].is_empty()
