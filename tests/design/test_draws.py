"""Designs under draws and over scenarios: the published farmer, brute force, and what must hold always."""

from dataclasses import replace

import numpy as np
import pytest
from programs import mixed
from scipy.sparse import csr_array

from cyclopolis.design.draws import Change, changed, evaluate, held, regret, seeded, value_at_risk
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program
from cyclopolis.design.stochastic import extensive, two_stage

EXACT = SolveOptions(gap=0.0)
INF = np.inf


def farmer() -> tuple[Program, Objective, np.ndarray, list[Change]]:
    """Return the farmer of Birge and Louveaux (2011), section 1.1: wheat, corn, beets; three kinds of years.

    Columns: acres of the three; wheat and corn bought; wheat, corn, beets sold at the good price, beets at the low one.
    """
    rows = np.array(
        [
            [1, 1, 1, 0, 0, 0, 0, 0, 0],
            [2.5, 0, 0, 1, 0, -1, 0, 0, 0],
            [0, 3, 0, 0, 1, 0, -1, 0, 0],
            [0, 0, 20, 0, 0, 0, 0, -1, -1],
        ],
        dtype=float,
    )
    gain = Objective("profit", np.array([-150, -230, -260, -238, -210, 170, 150, 36, 10], dtype=float))
    program = Program(
        csr_array(rows),
        np.array([-INF, 200, 240, 0]),
        np.array([500, INF, INF, INF]),
        np.zeros(9),
        np.array([INF] * 7 + [6000, INF]),
        np.zeros(9, dtype=np.bool_),
        np.ones(9),
    )
    yields = np.array([2.5, 3.0, 20.0])
    at = np.arange(3)
    years = [
        Change((gain,), entry_rows=at + 1, entry_columns=at, entry_values=factor * yields) for factor in (1.2, 1.0, 0.8)
    ]
    return program, gain, np.arange(9) < 3, years


def test_the_farmer_of_birge_and_louveaux() -> None:
    program, gain, first, years = farmer()
    found = two_stage(program, gain, first, years, np.full(3, 1 / 3), options=EXACT)
    assert found.natural[0][:3] == pytest.approx([170, 80, 250])
    assert (found.natural[:, :3] == found.natural[0, :3]).all()
    assert found.expected == pytest.approx(108_390)
    assert found.values[:, 0] == pytest.approx([167_000, 109_350, 48_820])
    assert found.foreseen == pytest.approx(115_406, abs=1)
    assert found.information == pytest.approx(7_016, abs=1)
    assert found.unaware == pytest.approx(107_240)
    assert found.foresight == pytest.approx(1_150)


def test_who_fears_the_worst_year_plants_for_it() -> None:
    program, gain, first, years = farmer()
    chances = np.full(3, 1 / 3)
    shy = two_stage(program, gain, first, years, chances, worst=1 / 3, options=EXACT)
    bold = two_stage(program, gain, first, years, chances, options=EXACT)
    assert shy.answer.objective == pytest.approx(shy.values[:, 0].min())
    assert shy.values[:, 0].min() > bold.values[:, 0].min() + 1000
    assert shy.expected < bold.expected
    half = two_stage(program, gain, first, years, chances, worst=0.5, options=EXACT)
    _, mean = value_at_risk(half.values[:, 0], 0.5)
    assert half.answer.objective == pytest.approx(mean)


def test_probabilities_must_make_sense() -> None:
    program, _, first, years = farmer()
    for chances, worst in ((np.full(3, 0.5), 1.0), (np.full(3, 1 / 3), 0.0)):
        with pytest.raises(ValueError, match="sum to one"):
            extensive(program, first, years, chances, worst)


@pytest.fixture(scope="module")
def park() -> tuple[Program, list, np.ndarray, np.ndarray, list[Change]]:
    """Return a mixed programme, its design, what is built first, and draws of prices, sizes, limits and yields."""
    program, objectives = mixed(9)
    kept = Kept(program, EXACT)
    kept.set_objective(objectives[0])
    design = kept.solve().natural

    def draw(rng: np.random.Generator) -> Change:
        factor = np.concatenate([rng.uniform(0.5, 1.5, 6), np.ones(6)])
        drawn = tuple(replace(objective, weights=objective.weights * factor) for objective in objectives)
        return Change(
            drawn,
            columns=np.arange(6),
            column_lower=np.zeros(6),
            column_upper=program.upper[:6] * rng.uniform(0.5, 1.0, 6),
            rows=np.array([6]),
            row_lower=np.array([-INF]),
            row_upper=program.row_upper[[6]] * rng.uniform(0.7, 1.3),
            entry_rows=np.array([7, 7]),
            entry_columns=np.array([0, 1]),
            entry_values=program.matrix.toarray()[7, :2] * rng.uniform(0.8, 1.2),
        )

    return program, objectives, design, program.integer.copy(), seeded(40, 3, draw)


def test_every_draw_is_what_a_programme_written_afresh_gives(park: tuple) -> None:
    program, _, design, first, draws = park
    found = evaluate(program, design, first, draws, EXACT)
    assert found.failed == 0.0
    for number in (0, 15, 16, 39):
        fresh = Kept(changed(held(program, design, first), draws[number]), EXACT)
        fresh.set_objective(draws[number].objectives[0])
        assert found.values[number, 0] == pytest.approx(fresh.solve().objective)


def test_no_design_beats_the_one_that_foresaw_its_draw(park: tuple) -> None:
    program, _, design, first, draws = park
    found = evaluate(program, design, first, draws, EXACT).values[:, 0]
    foreseen = evaluate(program, None, first, draws, EXACT).values[:, 0]
    assert (found <= foreseen + 1e-6).all()
    lost = regret(found[None], foreseen)
    assert lost.min() > -1e-6
    assert lost.max() > 0


def test_threads_and_more_draws_change_no_digit(park: tuple) -> None:
    program, _, design, first, draws = park
    one = evaluate(program, design, first, draws, EXACT, threads=1)
    two = evaluate(program, design, first, draws, EXACT, threads=2)
    some = evaluate(program, design, first, draws[:20], EXACT)
    assert (one.values == two.values).all()
    assert (one.values[:20] == some.values).all()


def test_a_draw_that_cannot_be_run_is_told(park: tuple) -> None:
    program, objectives, design, first, _ = park
    impossible = Change(tuple(objectives), rows=np.array([6]), row_lower=np.array([1e6]), row_upper=np.array([INF]))
    plain = Change(tuple(objectives))
    found = evaluate(program, design, first, [plain, impossible, plain], EXACT)
    assert found.status == ("optimal", "infeasible", "optimal")
    assert found.failed == pytest.approx(1 / 3)
    assert found.values[0, 0] == pytest.approx(objectives[0].value(design))
    assert found.values[2, 0] == pytest.approx(found.values[0, 0])


def test_a_single_scenario_is_the_programme_itself() -> None:
    program, objectives = mixed(9)
    kept = Kept(program, EXACT)
    kept.set_objective(objectives[0])
    best = kept.solve().objective
    for worst in (1.0, 0.4):
        found = two_stage(
            program, objectives[0], program.integer, [Change(tuple(objectives))], np.ones(1), worst, EXACT
        )
        assert found.expected == pytest.approx(best)
        assert found.information == pytest.approx(0, abs=1e-6)
        assert found.foresight == pytest.approx(0, abs=1e-6)


def test_values_at_risk_of_known_outcomes() -> None:
    values = np.arange(1.0, 101.0)
    assert value_at_risk(values, 0.05) == (5.0, pytest.approx(3.0))
    assert value_at_risk(values, 1.0) == (100.0, pytest.approx(50.5))
    assert value_at_risk(np.append(values, np.nan), 0.05) == (5.0, pytest.approx(3.0))
    heavy = value_at_risk(np.array([0.0, 10.0]), 0.5, np.array([0.25, 0.75]))
    assert heavy == (10.0, pytest.approx(5.0))


def test_regret_of_designs_beside_each_other() -> None:
    values = np.array([[3.0, 5.0, np.nan], [4.0, 1.0, np.nan]])
    assert regret(values).tolist() == [[1.0, 0.0, INF], [0.0, 4.0, INF]]
