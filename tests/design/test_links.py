"""What flows between sites and chains before and after a design: sums, nodes, pictures."""

import numpy as np
import polars as pl
import pytest

import cyclopolis
from cyclopolis.design import Design, DesignOptions
from cyclopolis.design.figures_links import STATES, flow_figures, investments_figure
from cyclopolis.foundation.text import LANGUAGES, say


@pytest.fixture(scope="module")
def result() -> Design:
    plan = cyclopolis.read_plan(cyclopolis.example("quickstart"))
    return cyclopolis.design(plan, DesignOptions(explain=0))


def test_links_between_sites_are_the_flows_of_the_target_year(result: Design) -> None:
    flows = result.tables["flows"].filter((pl.col("from_site") != pl.col("to_site")) & (pl.col("mass_t") > 0))
    pairs = flows.group_by("from_site", "to_site").agg(pl.col("mass_t").sum()).sort("from_site", "to_site")
    inner = [pl.col(side).str.starts_with("site:") for side in ("source", "target")]
    drawn = result.tables["links"].filter(pl.col("state") == "after", *inner).sort("source", "target")
    assert drawn.height
    assert drawn["source"].to_list() == ("site:" + pairs["from_site"]).to_list()
    assert drawn["target"].to_list() == ("site:" + pairs["to_site"]).to_list()
    assert drawn["mass_t"].to_list() == pytest.approx(pairs["mass_t"].to_list())


def test_no_link_runs_from_a_node_to_itself_and_none_is_empty(result: Design) -> None:
    links = result.tables["links"]
    assert (links["source"] != links["target"]).all()
    assert links["mass_t"].min() > 0
    assert links.select("by", "state", "source", "target").is_duplicated().sum() == 0
    assert set(links["state"]) == set(STATES)


def test_what_comes_in_from_outside_does_not_depend_on_how_plants_are_grouped(result: Design) -> None:
    ends = result.tables["links"].filter(pl.col("source").str.starts_with("end:"))
    sums = ends.group_by("state", "source").agg(
        site=pl.col("mass_t").filter(pl.col("by") == "site").sum(),
        chain=pl.col("mass_t").filter(pl.col("by") == "chain").sum(),
    )
    assert sums.height
    assert sums["site"].to_list() == pytest.approx(sums["chain"].to_list())


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_states_are_drawn_with_all_their_tonnes(result: Design, language: str) -> None:
    figures = flow_figures(result.tables, language)
    assert set(figures) == {"flows_by_site", "flows_by_chain"}
    for name, figure in figures.items():
        links = result.tables["links"].filter(pl.col("by") == name.removeprefix("flows_by_"))
        for state, trace in zip(STATES, figure["data"], strict=True):
            rows = links.filter(pl.col("state") == state)
            assert sum(trace["link"]["value"]) == pytest.approx(rows["mass_t"].sum())
            assert len(trace["node"]["label"]) == len({*rows["source"], *rows["target"]})
            assert not [text for text in trace["node"]["label"] if text.startswith(("site:", "chain:", "end:"))]
        heights = [np.ptp(trace["domain"]["y"]) for trace in figure["data"]]
        assert max(heights) == pytest.approx(1.0)


def test_one_site_alone_has_no_picture_between_sites() -> None:
    links = pl.DataFrame(
        {"by": ["site"], "state": ["after"], "source": ["site:a"], "target": ["end:sold"], "mass_t": [1.0]}
    )
    names = pl.DataFrame({"kind": ["site"], "item": ["a"], "name": ["A"], "name_zh": ["甲"]})
    assert flow_figures({"links": links, "names": names}, "en") == {}


def test_investments_of_each_year_add_up_and_the_small_ones_are_drawn_as_one() -> None:
    count = 20
    table = pl.DataFrame(
        {
            "year": [2025 + 5 * (number % 2) for number in range(count)],
            "name": [f"plant {number}" for number in range(count)],
            "name_zh": [f"装置 {number}" for number in range(count)],
            "capex": [float(number + 1) for number in range(count)],
        }
    )
    figure = investments_figure(table, [2025, 2030, 2035], "zh")
    heights = np.array([trace["y"] for trace in figure["data"]])
    assert heights.shape == (12, 3)
    assert heights.sum(axis=0).tolist() == [100.0, 110.0, 0.0]
    assert figure["data"][-1]["name"] == say("design.other_builds", "zh")
    assert figure["data"][0]["name"] == "装置 19"
