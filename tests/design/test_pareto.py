"""The trade-offs of a whole plan: parts add up, nothing beats anything, nothing found is lost."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import cyclopolis
from cyclopolis.design.pareto import Pareto, ParetoOptions, pareto
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import LANGUAGES, say
from cyclopolis.plan import Plan

DIMENSIONS = ("economy", "environment", "society")
OPTIONS = ParetoOptions(points=6, gap=1e-3, near=0.05, draws=8)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return cyclopolis.read_plan(cyclopolis.example("quickstart"))


@pytest.fixture(scope="module")
def kept() -> list[Pareto]:
    return []


@pytest.fixture(scope="module")
def result(plan: Plan, kept: list[Pareto]) -> Pareto:
    return pareto(plan, OPTIONS, kept.append)


def test_no_trade_off_beats_another_and_each_was_checked(result: Pareto) -> None:
    points = result.tables["points"]
    values = points.select(DIMENSIONS).to_numpy()
    better = (values[None] >= values[:, None]).all(axis=2).sum(axis=1)
    assert (better == 1).all()
    assert points["violations"].to_list() == [0] * points.height
    assert points["point"].to_list() == list(range(1, points.height + 1))
    assert (np.diff(values[:, 0]) <= 0).all()
    assert points["gap"].max() <= OPTIONS.gap


def test_parts_add_up_to_their_dimension(result: Pareto) -> None:
    sums = result.tables["parts"].group_by("point", "dimension").agg(pl.col("contribution").sum())
    for point in result.tables["points"].iter_rows(named=True):
        for name, sign in zip(DIMENSIONS, (1, -1, 1), strict=True):
            own = sums.filter((pl.col("point") == point["point"]) & (pl.col("dimension") == name))
            assert sign * own["contribution"].sum() == pytest.approx(point[name], rel=1e-5, abs=1.0)


def test_the_best_economy_is_that_of_the_single_design(plan: Plan, result: Pareto) -> None:
    alone = cyclopolis.design(plan, cyclopolis.DesignOptions(gap=1e-6))
    best = result.tables["points"]["economy"].max()
    assert best == pytest.approx(alone.facts["objective"], rel=2e-3)


def test_builds_belong_to_their_points_and_robust_plants_are_counted(result: Pareto) -> None:
    builds, points, robust = (result.tables[name] for name in ("builds", "points", "robust"))
    counted = builds.group_by("point").agg(plants=pl.col("plant").n_unique(), capex=pl.col("capex").sum())
    joined = points.join(counted, on="point", how="left").fill_null(0)
    assert joined["builds"].to_list() == joined["plants"].to_list()
    assert (joined["capex"] - joined["capex_right"]).abs().max() < 1e-6
    for row in robust.iter_rows(named=True):
        assert row["points"] == builds.filter(pl.col("plant") == row["plant"])["point"].n_unique()
        assert row["verdict"] in {"all", "some", "none"}


def test_every_point_was_handed_on_when_it_was_found(kept: list[Pareto], result: Pareto) -> None:
    heights = [partial.tables["points"].height for partial in kept]
    assert heights[0] == 1
    assert max(heights) >= result.tables["points"].height
    assert {partial.facts["status"] for partial in kept} == {"running"}
    assert len(kept) >= result.tables["points"].height


def test_ctrl_c_returns_what_was_found(plan: Plan) -> None:
    found: list[Pareto] = []

    def keep(partial: Pareto) -> None:
        found.append(partial)
        if len(found) == 7:
            raise KeyboardInterrupt

    stopped = pareto(plan, OPTIONS, keep)
    assert stopped.facts["status"] == "interrupted"
    assert stopped.tables["points"].height >= 3


def test_it_is_saved_and_loaded_and_says_what_it_found(result: Pareto, tmp_path: Path) -> None:
    result.save(tmp_path / "pareto")
    again = Pareto.load(tmp_path / "pareto")
    assert all(again.tables[name].equals(table) for name, table in result.tables.items())
    for language in LANGUAGES:
        assert all(line.name.render(language) for line in again.summary())


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_figures_carry_the_same_points(result: Pareto, language: str) -> None:
    figures = result.figures(language)
    wanted = set(result.tables["points"]["point"])
    cube = {point for trace in figures["cube"]["data"] for point in trace["customdata"]}
    axes = {point for trace in figures["axes"]["data"] for point in trace["customdata"]}
    assert cube == axes == wanted
    assert {figures[name]["layout"]["meta"]["linked"] for name in ("cube", "axes")} == {"points"}
    heights = np.array([trace["y"] for trace in figures["axes"]["data"]])
    assert heights.min() == pytest.approx(0.0)
    assert heights.max() == pytest.approx(100.0)


def test_points_of_note_keep_what_they_exchange_and_where_it_flows(plan: Plan, result: Pareto) -> None:
    points = result.tables["points"]
    noted = points.filter(pl.col("choice").is_not_null())["point"].to_list()
    for name in ("plants", "exchanges", "links"):
        assert result.tables[name]["point"].unique().sort().to_list() == noted
    # the best economy is the single design: it exchanges the same
    best = points.row(0, named=True)["point"]
    alone = cyclopolis.design(plan, cyclopolis.DesignOptions(gap=1e-6, explain=0)).tables["exchanges"]
    own = result.tables["exchanges"].filter(pl.col("point") == best)
    keys = ["from_plant", "to_plant", "commodity"]
    assert own.select(keys).equals(alone.select(keys))
    assert own["before"].to_list() == pytest.approx(alone["before"].to_list())
    assert own["after"].sum() == pytest.approx(alone["after"].sum(), rel=0.05)


@pytest.mark.parametrize("language", LANGUAGES)
def test_knee_and_compromise_are_drawn_with_their_name(result: Pareto, language: str) -> None:
    figures = result.figures(language)
    choices = set(result.tables["points"]["choice"].drop_nulls()) & {"knee", "compromise", "knee_and_compromise"}
    assert choices
    for choice in choices:
        number = result.tables["points"].filter(pl.col("choice") == choice)["point"].item()
        own = result.tables["exchanges"].filter((pl.col("point") == number) & (pl.col("after") > 0))
        drawn = figures[f"{choice}_exchanges"]
        said = [text for trace in drawn["data"] for text in trace.get("text", []) if "→" in str(text)]
        assert len(said) == own.height
        called = say(f"front.choice_{choice}", language)
        assert drawn["layout"]["title"]["text"].startswith(called)
        assert figures[f"{choice}_flows_by_site"]["layout"]["title"]["text"].startswith(called)
        spent = sum(sum(trace["y"]) for trace in figures[f"{choice}_investments"]["data"])
        assert spent == pytest.approx(result.tables["points"].filter(pl.col("point") == number)["capex"].item())


def test_too_few_points_are_refused(plan: Plan) -> None:
    with pytest.raises(UserError):
        pareto(plan, ParetoOptions(points=2))


def test_a_run_keeps_the_front_until_the_plan_changes(tmp_path: Path) -> None:
    place = tmp_path / "park"
    shutil.copytree(cyclopolis.example("quickstart"), place, ignore=shutil.ignore_patterns("results"))
    done = cyclopolis.run(place, until="pareto", options={"points": 3})
    assert list(done.results) == ["pareto"]
    later = cyclopolis.run(place, until="design")
    assert list(later.results) == ["balance", "design"]
    assert "pareto" in cyclopolis.load_run(place).results
    meta = place / "plants.csv"
    meta.write_text(meta.read_text(encoding="utf-8").replace("600000", "600001"), encoding="utf-8")
    assert "pareto" not in cyclopolis.run(place, until="balance").results


def test_points_of_note_are_run_again_under_draws(result: Pareto) -> None:
    draws, risk, points = (result.tables[name] for name in ("draws", "risk", "points"))
    noted = points.filter(pl.col("choice").is_not_null())["point"].to_list()
    assert draws["point"].unique().sort().to_list() == noted
    assert draws.height == 8 * len(noted)
    for row in risk.iter_rows(named=True):
        values = draws.filter(pl.col("point") == row["point"])[row["dimension"]]
        assert row["mean"] == pytest.approx(values.mean())
        assert row["cvar"] <= row["value_at_risk"] <= row["mean"]
        assert 0 <= row["regret_mean"] <= row["regret_max"]
        assert row["planned"] == points.filter(pl.col("point") == row["point"])[row["dimension"]].item()
