"""Scores as intervals, points of an imported framework, published shares, and the three-dimensional state."""

import polars as pl
import pytest
import yaml
from places import PARK, place, quantities, value

from cyclopolis.foundation.problems import UserError
from cyclopolis.rating import rate
from cyclopolis.rating.authoring import check_framework


def indicator(name, op=">=", mark=50, **more):
    return {
        "id": name,
        "name": name,
        "unit": "%",
        "direction": "higher",
        "target": {"op": op, "value": mark} if op != "report" else {"op": "report"},
        "provenance": "seen",
        **more,
    }


def framework(*indicators, axis="environment", **head):
    return {
        "framework": {"id": "own", "title": "Own", "year": 2026, **head},
        "dimensions": [
            {
                "id": f"d{place}",
                "name": f"D{place}",
                "axis": axis,
                "categories": [{"id": "c", "indicators": list(some)}],
            }
            for place, some in enumerate(indicators)
        ],
    }


def rated(folder, tree, *values, after=None):
    (folder / "frameworks").mkdir(exist_ok=True)
    (folder / "frameworks" / "own.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    plan = place(folder=folder, sites=[PARK], indicators=list(values))
    return rate(plan, None if after is None else quantities({"water": 1.0}, {"water": after}), ["own"])


def scores(rating, dimension=None):
    column = pl.col("dimension")
    found = rating.tables["scores"].filter(column.is_null() if dimension is None else column == dimension)
    assert found.height == 1
    return found.row(0, named=True)


def test_a_score_is_an_interval(tmp_path) -> None:
    tree = framework([indicator("a"), indicator("b")], [indicator("c", provenance="memory"), indicator("r", "report")])
    rating = rated(tmp_path, tree, value("a", 60, "%"), value("c", 10, "%"))
    whole = scores(rating)
    assert (whole["possible"], whole["earned_before"], whole["best_before"]) == (3, 1, 2)
    assert (whole["share_low_before"], whole["share_high_before"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert whole["memory_before"] == 0.5
    assert whole["weights"] == "equal"
    assert whole["p5_before"] < whole["mean_before"] < whole["p95_before"]
    first, second = scores(rating, "d0"), scores(rating, "d1")
    assert (first["share_low_before"], first["share_high_before"]) == (0.5, 1)
    assert (second["share_low_before"], second["share_high_before"], second["memory_before"]) == (0, 0, 1)


def test_nothing_known_is_the_whole_interval_and_no_draw(tmp_path) -> None:
    whole = scores(rated(tmp_path, framework([indicator("a"), indicator("b")])))
    assert (whole["share_low_before"], whole["share_high_before"], whole["mean_before"]) == (0, 1, None)
    assert whole["memory_before"] is None


def test_a_group_counts_as_many_as_it_asks_for(tmp_path) -> None:
    group = {"id": "g", "rule": "at_least", "n": 1, "of": ["a", "b"]}
    tree = framework([indicator("a"), indicator("b"), indicator("c", required=True)], groups=[group])
    rating = rated(tmp_path, tree, value("a", 10, "%"))
    assert (scores(rating)["possible"], scores(rating)["best_before"]) == (2, 2)
    rating = rated(tmp_path, tree, value("a", 10, "%"), value("b", 70, "%"))
    assert (scores(rating)["earned_before"], scores(rating)["best_before"]) == (1, 2)


LEVELS = [{"id": "high", "label": "High", "min_points": 8}, {"id": "low", "label": "Low", "min_points": 4}]


def test_points_and_levels_of_an_imported_framework(tmp_path) -> None:
    tree = framework(
        [indicator("a", weight=5), indicator("b", "report", weight=5)], levels=LEVELS, total_points=10, weights_sum=10
    )
    rating = rated(tmp_path, tree, value("a", 60, "%"))
    assert scores(rating)["weights"] == "framework"
    assert (scores(rating)["earned_before"], scores(rating)["best_before"]) == (5, 10)
    levels = {row["level"]: row for row in rating.tables["levels"].iter_rows(named=True)}
    assert (levels["low"]["reached_before"], levels["low"]["probability_before"]) == ("met", 1)
    assert levels["high"]["reached_before"] == "unknown"
    assert levels["high"]["probability_before"] == pytest.approx(0.4, abs=0.02)
    rating = rated(tmp_path, tree, value("a", 60, "%"), value("b.points", 4, "points"))
    assert scores(rating)["earned_before"] == scores(rating)["best_before"] == 9
    levels = {row["level"]: row["reached_before"] for row in rating.tables["levels"].iter_rows(named=True)}
    assert levels == {"high": "met", "low": "met"}


def test_igmc_shares_that_others_published() -> None:
    """The Liuyang pilot: environment close to one half, basic services below one third; no points of our own."""
    rating = rate(
        place(
            sites=[PARK],
            indicators=[
                value("igmc-3.0.environment.share", 50, "%"),
                value("igmc-3.0.basic_services.share_high", 100 / 3, "%"),
            ],
        ),
        frameworks=["igmc-3.0"],
    )
    found = {row["dimension"]: row for row in rating.tables["scores"].iter_rows(named=True)}
    environment, services = found["environment"], found["basic_services"]
    assert (environment["share_low_before"], environment["share_high_before"]) == (0.5, 0.5)
    assert (services["share_low_before"], services["share_high_before"]) == (0, pytest.approx(1 / 3))
    assert environment["origin_before"] == services["origin_before"] == "published"
    assert found["society"]["share_low_before"] is None
    assert found[None]["share_low_before"] is found[None]["mean_before"] is None  # two checks say nothing of 320 points
    assert rating.tables["levels"]["reached_before"].to_list() == ["unknown"] * 3
    lines = {line.name.render("en"): line.value for line in rating.summary()}
    assert list(lines.values())[:2] == ["0–33.3 %", "50 %"]


def test_the_weakest_dimensions_are_named_first() -> None:
    given = {"environment.share": 50, "basic_services.share_high": 33, "spatial.share_high": 50}
    given |= {f"{name}.share_low": 50 for name in ("economy", "society", "culture")}
    values = [value(f"igmc-3.0.{name}", number, "%") for name, number in given.items()]
    rating = rate(place(sites=[PARK], indicators=values), frameworks=["igmc-3.0"])
    found = rating.tables["advice"].filter(pl.col("kind") == "weakness").sort("rank")
    assert found["id"].to_list()[:2] == [
        "weakness:dimension:igmc-3.0:basic_services",
        "weakness:dimension:igmc-3.0:spatial",
    ]
    assert "0 to 33 % of the points" in found["text"][0]
    assert "number 1 from the bottom of 6 dimensions" in found["text"][0]
    figure = rating.figures("en")["radar"]
    low = dict(zip(figure["data"][0]["theta"], figure["data"][0]["r"], strict=True))
    assert (low["Environment"], low["Basic services"], low["Economy"]) == (50, 0, 50)


def test_state_is_a_path_of_what_is_known_in_every_year(tmp_path) -> None:
    tree = framework([indicator("a"), indicator("b")])
    tree["dimensions"] += framework([indicator("c")], axis="economy")["dimensions"]
    tree["dimensions"][1]["id"] = "d9"
    rating = rated(
        tmp_path,
        tree,
        value("a", 20, "%", 2022),
        value("a", 40, "%", 2023),
        value("a", 60, "%", 2024),
        value("b", 0, "%", 2024),
        value("c", 25, "%", 2022),
    )
    states = rating.tables["states"]
    assert states["year"].to_list() == [2022, 2023, 2024]
    assert states["environment"].to_list() == pytest.approx([0.4, 0.8, 1.0])  # b is not known in every year
    assert states["economy"].to_list() == pytest.approx([0.5, 0.5, 0.5])
    assert states["society"].to_list() == [None] * 3
    assert states["coordination_classic"].to_list() == [None] * 3
    assert states["environment_known"].to_list() == [1] * 3


def test_state_with_three_axes_is_coordinated(tmp_path) -> None:
    parts = [framework([indicator(name)], axis=name)["dimensions"][0] for name in ("economy", "environment", "society")]
    tree = framework()
    tree["dimensions"] = [{**part, "id": part["axis"]} for part in parts]
    given = [value(name, number, "%") for name, number in (("economy", 50), ("environment", 25), ("society", 25))]
    row = rated(tmp_path, tree, *given).tables["states"].row(0, named=True)
    assert (row["economy"], row["environment"], row["society"]) == (1, 0.5, 0.5)
    assert row["level"] == pytest.approx(2 / 3)
    assert row["coupling_classic"] == pytest.approx(3 * 0.25 ** (1 / 3) / 2)
    assert row["coordination_classic"] == pytest.approx((row["coupling_classic"] * row["level"]) ** 0.5)
    assert row["coupling_corrected"] == pytest.approx(((1 - 1 / 3) * 0.5) ** 0.5)
    assert row["class_classic"] == "intermediate coordination"
    assert row["class_classic_zh"] == "中级协调"


def weighing(method, **more):
    parts = framework([indicator("a"), indicator("b")], [indicator("c")])
    parts["framework"]["weighting"] = {"method": method, **more}
    return parts


@pytest.mark.parametrize(
    ("tree", "kind", "shares"),
    [
        (weighing("given", weights={"d0": 0.8, "d1": 0.2}), "given", (80, 20)),
        (weighing("ahp", matrix=[[1, 3], ["1/3", 1]]), "ahp", (75, 25)),
    ],
)
def test_dimensions_are_weighed(tree, kind, shares, tmp_path) -> None:
    rating = rated(tmp_path, tree, value("a", 60, "%"), value("c", 10, "%"))
    assert [scores(rating, name)["possible"] for name in ("d0", "d1")] == pytest.approx(list(shares))
    whole = scores(rating)
    assert (whole["weights"], whole["possible"]) == (kind, pytest.approx(100))
    assert (whole["earned_before"], whole["best_before"]) == (pytest.approx(shares[0] / 2), pytest.approx(shares[0]))


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (weighing("given", weights={"d0": 0.8, "d1": 0.3}), r"line \d+.*add up to 1\.1, not to 1"),
        (weighing("given", weights={"d0": 1.0}), r"line \d+.*must be a number"),
        (weighing("ahp", matrix=[[1, 3], [1, 1]]), r"line \d+.*not reciprocal.*\(1, 2\)"),
        (weighing("ahp", matrix=[[1]]), r"line \d+.*2 rows"),
        (weighing("ahp", matrix=[[1, 1], [1, 1]], random_index="mine"), "table mine has no value for order 2"),
        (weighing("ahp", matrix=[[1, "x"], [1, 1]]), r"line \d+.*not reciprocal"),
    ],
)
def test_bad_weights_name_file_and_line(tree, words, tmp_path) -> None:
    with pytest.raises(UserError, match=r"own\.yaml.*" + words):
        rated(tmp_path, tree)


def test_contradicting_comparisons_are_noticed(tmp_path) -> None:
    tree = framework([indicator("a")], [indicator("b")], [indicator("c")])
    tree["framework"]["weighting"] = {"method": "ahp", "matrix": [[1, 9, "1/9"], ["1/9", 1, 9], [9, "1/9", 1]]}
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    (problem,) = check_framework(path)[1]
    assert (problem.severity, "consistency ratio" in problem.render("en")) == ("notice", True)
