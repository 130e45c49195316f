"""Shares of published games, brute force over orders, and what a park's coalitions and failures are worth."""

import json
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclopolis
from cyclopolis.cli.start import main
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.fairness.failure import Failure, FailureOptions, failure
from cyclopolis.industry.exchanges.fairness.fairness import Fairness, FairnessOptions, fairness
from cyclopolis.industry.exchanges.fairness.nucleolus import least_core, membership, nucleolus
from cyclopolis.industry.exchanges.fairness.operating import coalition_value, operating
from cyclopolis.industry.exchanges.fairness.shapley import sampled_shapley, shapley_value
from cyclopolis.network import base_flows, compile_network, quantities
from cyclopolis.network.operate import best_flows
from cyclopolis.plan import read_plan

GLOVES = np.array([0.0, 0, 0, 1, 0, 1, 0, 1])


def game(count, value):
    return np.array([value([i for i in range(count) if bits >> i & 1]) for bits in range(2**count)], dtype=float)


def bankruptcy(estate, claims):
    return game(len(claims), lambda who: max(0.0, estate - sum(c for i, c in enumerate(claims) if i not in who)))


def by_orders(values):
    count = values.size.bit_length() - 1
    total = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        bits = 0
        for player in order:
            total[player] += values[bits | 1 << player] - values[bits]
            bits |= 1 << player
    return total / len(orders)


def test_gloves():
    assert shapley_value(GLOVES) == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert nucleolus(GLOVES) == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)
    core = least_core(GLOVES)
    assert (core.empty, core.least) == (False, 0.0)


@pytest.mark.parametrize(("estate", "shares"), [(100, [100 / 3] * 3), (200, [50, 75, 75]), (300, [50, 100, 150])])
def test_the_talmud(estate, shares):
    """Aumann and Maschler (1985), J. Econ. Theory 36, 195-213."""
    assert nucleolus(bankruptcy(estate, [100, 200, 300])) == pytest.approx(shares, abs=1e-7)


def test_the_airport():
    """Littlechild and Owen (1973): each part of a runway is shared equally by those who need it."""
    cost = [8.0, 11.0, 13.0, 18.0]
    values = game(4, lambda who: -max((cost[i] for i in who), default=0.0))
    assert -shapley_value(values) == pytest.approx([2.0, 3.0, 4.0, 9.0])
    shares = -nucleolus(values)
    assert shares.sum() == pytest.approx(18.0)
    given_ = membership(4).astype(float) @ shares
    assert (given_ <= -values + 1e-9).all()


def test_majority_has_an_empty_core():
    majority = game(3, lambda who: float(len(who) >= 2))
    core = least_core(majority)
    assert (core.empty, core.least) == (True, pytest.approx(1 / 3))
    assert nucleolus(majority) == pytest.approx([1 / 3] * 3)
    assert shapley_value(majority) == pytest.approx([1 / 3] * 3)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.integers(0, 100), min_size=2**n, max_size=2**n)))
def test_shares_of_any_game(numbers):
    values = np.array([0.0, *numbers[1:]])
    found = shapley_value(values)
    assert found == pytest.approx(by_orders(values), abs=1e-9)
    assert found.sum() == pytest.approx(values[-1])
    shares = nucleolus(values)
    assert shares.sum() == pytest.approx(values[-1], abs=1e-6)
    count = found.size
    core = least_core(values)
    assert core.division.sum() == pytest.approx(values[-1], abs=1e-6)
    if not core.empty and count > 1:
        inside = membership(count)[1:-1].astype(float) @ shares
        assert (values[1:-1] - inside <= 1e-6).all()


def test_samples_find_the_exact_value_within_their_error():
    random = np.random.default_rng(3)
    values = np.concatenate(([0.0], random.random(2**6 - 1))) * np.bitwise_count(np.arange(2**6)) ** 2
    mean, error = sampled_shapley(lambda bits: float(values[bits]), 6, 300, seed=1)
    exact = shapley_value(values)
    assert (np.abs(mean - exact) <= 4 * error + 1e-9).all()
    assert mean.sum() == pytest.approx(exact.sum())
    again = sampled_shapley(lambda bits: float(values[bits]), 6, 300, seed=1)
    assert (again[0] == mean).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plan") / "park"
    cyclopolis.new_plan(place, "quickstart")
    text = (place / "exchanges.csv").read_text(encoding="utf-8")
    (place / "exchanges.csv").write_text(text.replace("proposed", "existing"), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def shared(folder: Path) -> Fairness:
    return fairness(read_plan(folder))


@pytest.fixture(scope="module")
def failed(folder: Path) -> Failure:
    return failure(read_plan(folder), FailureOptions(pairs=True))


def test_all_members_reach_the_operating_optimum(tmp_path: Path) -> None:
    cyclopolis.new_plan(tmp_path / "p", "quickstart")
    network = compile_network(read_plan(tmp_path / "p"))
    base, gain = base_flows(network), quantities(network)["gain"]
    best = best_flows(network, base.activity, base.activity)
    value = coalition_value(operating(network), 2 ** len(operating(network).names) - 1)
    assert value == pytest.approx(gain.value(best) - gain.value(base), rel=1e-6)


def test_members_end_with_their_share(shared: Fairness) -> None:
    members, payments = shared.tables["members"], shared.tables["payments"]
    assert shared.facts["exact"]
    assert members["shapley"].sum() == pytest.approx(shared.facts["together"])
    assert members["payment"].sum() == pytest.approx(0.0, abs=1.0)
    for name, change, share in members.select("member", "change", "shapley").iter_rows():
        got = payments.filter(giver=name)["payment"].sum() - payments.filter(taker=name)["payment"].sum()
        assert change + got == pytest.approx(share, abs=1.0)
    values = dict(shared.tables["coalitions"].select("members", "value").iter_rows())
    assert len(values) == 2**members.height - 1
    assert max(values.values()) == pytest.approx(shared.facts["together"])
    assert (members["shapley"] >= members["alone"] - 1e-6).all()


def test_sampling_agrees_with_every_coalition(folder: Path, shared: Fairness, monkeypatch) -> None:
    monkeypatch.setattr("cyclopolis.industry.exchanges.fairness.fairness.EXACT", 1)
    found = fairness(read_plan(folder), FairnessOptions(draws=20))
    assert found.facts["core_empty"] is None
    assert found.tables["members"]["nucleolus"].null_count() == found.tables["members"].height
    mean, error = (found.tables["members"][name].to_numpy() for name in ("shapley", "shapley_error"))
    exact = shared.tables["members"]["shapley"].to_numpy()
    assert (np.abs(mean - exact) <= 5 * error + 1.0).all()


def test_failures_cascade_and_are_ranked(folder: Path, failed: Failure) -> None:
    rows = failed.tables["failures"]
    assert rows["rank"].to_list() == list(range(1, rows.height + 1))
    assert rows["loss"].to_list() == sorted(rows["loss"].to_list(), reverse=True)
    assert set(rows["kind"]) == {"plant", "pipe", "pair"}
    assert (rows["redundancy"] <= rows["loss"].clip(lower_bound=0.0) + 1e-6).all()
    network = compile_network(read_plan(folder))
    mill = failed.tables["hit"].filter((pl.col("failed") == "mill") & (pl.col("plant") == "mill")).row(0, named=True)
    gain = quantities(network)["gain"].by_plant(network, base_flows(network))
    assert mill["activity_after"] == pytest.approx(0.0, abs=1e-3)
    assert mill["loss"] == pytest.approx(gain[network.plant_ids.index("mill")], rel=1e-4)
    pipe = rows.filter(kind="pipe").row(0, named=True)
    assert (pipe["links_before"], pipe["links_left"]) == (1, 0)
    singles = rows.filter(pl.col("kind") == "plant")["loss"].sum()
    assert rows.filter(kind="pair")["loss"].max() <= singles * (1 + 1e-6) + 1e6


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_summaries_and_saving(shared: Fairness, failed: Failure, language, tmp_path: Path) -> None:
    figures = {**shared.figures(language), **failed.figures(language)}
    assert set(figures) == {"shares", "payments", "criticality"}
    json.dumps(figures)
    for result in (shared, failed):
        assert all(line.name.render(language) for line in result.summary())
        result.save(tmp_path / result.engine)
        again = type(result).load(tmp_path / result.engine)
        assert all(again.tables[name].equals(table) for name, table in result.tables.items())


def test_the_commands_run(folder: Path, monkeypatch, capsys) -> None:
    for words in (["fairness", str(folder), "--quiet"], ["failure", str(folder), "--json", "--together"]):
        monkeypatch.setattr(sys, "argv", ["cyclopolis", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        text = capsys.readouterr().out
    assert json.loads(text)["tables"]["failures"]


def test_what_cannot_be_valued_is_said(tmp_path: Path) -> None:
    cyclopolis.new_plan(tmp_path / "p", "quickstart")
    problem = operating(compile_network(read_plan(tmp_path / "p")))
    problem.low[:] = 1e12
    problem.high[:] = 2e12
    with pytest.raises(UserError, match="power_co"):
        coalition_value(problem, 2 ** len(problem.names) - 1)
    plants = tmp_path / "p" / "plants.csv"
    rows = plants.read_text(encoding="utf-8").splitlines()
    plants.write_text("\n".join([rows[0], rows[1]]) + "\n", encoding="utf-8")
    (tmp_path / "p" / "exchanges.csv").unlink()
    with pytest.raises(UserError, match="nothing to divide"):
        fairness(read_plan(tmp_path / "p"))
