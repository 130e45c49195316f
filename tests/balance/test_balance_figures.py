"""The Sankey diagrams: what is drawn is what the tables say, in tonnes, with nothing lost."""

import plotly.graph_objects as go
import polars as pl
import pytest
from tiny_park import PLANTS, SITES, tiny_plan

from cyclopolis.industry import balance


def links(figure):
    (sankey,) = figure["data"]
    label, link = sankey["node"]["label"], sankey["link"]
    return {(label[s], label[t]): v for s, t, v in zip(link["source"], link["target"], link["value"], strict=True)}


def test_flows_between_chains(result):
    assert links(result.figures("en")["links_by_chain"]) == pytest.approx(
        {
            ("Bought outside", "energy"): 4000,
            ("Nature", "energy"): 5000,
            ("energy", "building"): 400,
            ("energy", "Emitted"): 7010,
            ("energy", "Landfilled"): 600,
            ("energy", "Unaccounted for"): 990,
            ("Bought outside", "building"): 3500,
            ("Source unknown", "building"): 200,
            ("building", "Sold outside"): 4000,
            ("building", "Treated outside"): 10,
            ("building", "Unaccounted for"): 90,
        }
    )


def test_what_goes_into_a_site_comes_out_of_it(result):
    found = links(result.figures("en")["links_by_site"])
    for site in ("park", "lot", "hill"):
        into = sum(v for (_, target), v in found.items() if target == site)
        out = sum(v for (source, _), v in found.items() if source == site)
        assert into == pytest.approx(out), site


def test_what_comes_of_a_commodity_goes(result):
    found = links(result.figures("en")["links_by_commodity"])
    for good in ("Ash", "Coal", "Cement"):
        into = sum(v for (_, target), v in found.items() if target == good)
        out = sum(v for (source, _), v in found.items() if source == good)
        assert into == pytest.approx(out) != 0


def test_water_is_not_drawn(result):
    found = result.figures("en")
    for figure in (found["links_by_chain"], found["links_by_site"], found["links_by_commodity"]):
        assert "Freshwater" not in figure["data"][0]["node"]["label"]


def test_more_out_than_in_is_drawn_too():
    row = {"plant": "boiler", "commodity": "ash", "direction": "out", "amount": 9000.0, "year": 2024}
    found = links(balance(tiny_plan(measurements=[row])).figures("en")["links_by_chain"])
    assert found["More out than in", "energy"] == pytest.approx(7010 + 9000 - 9000)


def test_names_are_said_in_the_readers_language(result):
    chinese = result.figures("zh")["links_by_chain"]
    assert "未核算" in chinese["data"][0]["node"]["label"]
    assert "基准年" in chinese["layout"]["title"]["text"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plotly_accepts_every_figure(result, language):
    for figure in result.figures(language).values():
        assert go.Figure(figure).data[0].type in {"sankey", "bar", "scatter"}


def test_unaccounted_and_unplaced_stand_out(result):
    (sankey,) = result.figures("en")["links_by_chain"]["data"]
    colour = dict(zip(sankey["node"]["label"], sankey["node"]["color"], strict=True))
    assert colour["Unaccounted for"] == colour["Source unknown"] != colour["Sold outside"]


def test_many_commodities_are_drawn_as_one():
    from cyclopolis.industry.metabolism import figures_sankey

    tables = balance(tiny_plan()).tables
    limit = figures_sankey.LARGEST
    figures_sankey.LARGEST = 2
    try:
        found = links(figures_sankey.sankey("links_by_commodity", tables, "en"))
    finally:
        figures_sankey.LARGEST = limit
    whole = (
        tables["flows"]
        .join(tables["commodities"].filter(pl.col("kind").is_in(["material", "emission"])), on="commodity", how="semi")[
            "mass_t"
        ]
        .sum()
    )
    assert sum(
        v
        for (source, _), v in found.items()
        if source in {"Bought outside", "Made by plants", "Nature", "Source unknown"}
    ) == pytest.approx(whole)
    assert any("All other commodities" in pair for pair in found)


def test_a_plant_without_a_chain_is_drawn_as_such():
    from tiny_park import TECHNOLOGIES, tiny_library

    rows = [{**row, "chain": None} if row["technology"] == "brick" else row for row in TECHNOLOGIES]
    result = balance(tiny_plan(tiny_library(technologies=rows), plants=PLANTS))
    assert ("No chain", "Sold outside") in links(result.figures("en")["links_by_chain"])


def test_a_name_is_only_a_name():
    rows = [{**SITES[0], "name": "<b>Town</b>"}, *({**row, "name": "<script>&"} for row in SITES[1:])]
    labels = balance(tiny_plan(sites=rows)).figures("en")["links_by_site"]["data"][0]["node"]["label"]
    assert "&lt;script&gt;&amp;" in labels
    assert not any("<" in label for label in labels)
