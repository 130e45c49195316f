"""Pictures say what their tables say, and the tables what the flows say; nothing unaccounted for is hidden."""

import json
import math
import re

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from tiny_park import PLANTS, SITES, tiny_plan

from cyclopolis.foundation.text import catalogue
from cyclopolis.industry import balance
from cyclopolis.industry.metabolism import figures_map, figures_residual
from cyclopolis.industry.metabolism.balance import BalanceOptions
from cyclopolis.industry.metabolism.figures_map import positions
from cyclopolis.industry.metabolism.figures_tables import commodity_group
from cyclopolis.report.escape import escape_figure

SANKEYS = ("links_by_chain", "links_by_site", "links_by_group", "links_by_commodity")
HOSTILE = "<script>alert(1)</script>&"


@pytest.fixture(params=["tiny", "changzhi"])
def result(request):
    return request.getfixturevalue(request.param)


def counted(result):
    goods = result.tables["commodities"].filter(pl.col("kind").is_in(["material", "emission"]))
    return result.tables["flows"].join(goods, on="commodity", how="semi").filter(pl.col("mass_t") > 0)


def test_every_figure_has_a_table_of_its_name(result):
    for name in result.figures("en"):
        assert name in result.tables
        assert name in result.columns()


@pytest.mark.parametrize("name", SANKEYS)
def test_links_of_the_picture_sum_to_the_table(result, name):
    link = result.figures("en")[name]["data"][0]["link"]
    assert sum(link["value"]) == pytest.approx(result.tables[name]["mass_t"].sum())
    assert len(link["value"]) == len(link["customdata"]) == len(link["color"])


@pytest.mark.parametrize("name", ["links_by_group", "links_by_commodity"])
def test_every_counted_tonne_passes_the_middle_once(result, name):
    links, whole = result.tables[name], counted(result)["mass_t"].sum()
    into = links.filter(pl.col("source").str.starts_with("end:"))["mass_t"].sum()
    out = links.filter(pl.col("target").str.starts_with("end:"))["mass_t"].sum()
    assert into == pytest.approx(whole)
    assert out == pytest.approx(whole)


@pytest.mark.parametrize("name", ["links_by_chain", "links_by_site"])
def test_what_enters_a_group_leaves_it_or_is_unaccounted_for(result, name):
    links = result.tables[name]
    into = links.group_by(node="target").agg(pl.col("mass_t").sum())
    out = links.group_by(node="source").agg(pl.col("mass_t").sum())
    both = into.join(out, on="node", suffix="_out").filter(~pl.col("node").str.starts_with("end:"))
    assert both.height > 0
    np.testing.assert_allclose(both["mass_t"], both["mass_t_out"], rtol=1e-9)


@pytest.mark.parametrize("name", ["links_by_chain", "links_by_site"])
def test_the_unaccounted_is_that_of_the_accounts(result, name):
    links = result.tables[name]
    gone = links.filter(pl.col("target") == "end:unaccounted")["mass_t"].sum()
    more = links.filter(pl.col("source") == "end:excess")["mass_t"].sum()
    total = result.tables["accounts"].filter(scope_kind="place", quantity="unaccounted")["value"].item()
    assert gone - more == pytest.approx(total, rel=1e-6)
    assert gone > 0


def test_the_spread_of_a_single_plant_s_gap_is_that_of_its_account(tiny):
    """A chain of one plant has the plant's own difference, and its uncertainty."""
    plants = tiny.tables["plants"].filter(pl.col("chain").count().over("chain") == 1)
    spread = tiny.tables["account_spread"].filter(scope_kind="plant", quantity="unaccounted")
    assert plants.height
    for plant, chain in plants.select("plant", "chain").iter_rows():
        link = tiny.tables["links_by_chain"].filter(source=f"chain:{chain}", target="end:unaccounted")
        own = spread.filter(scope=plant)
        assert link["mass_t"].item() == pytest.approx(own["value"].item())
        assert (link["sd_t"].item() or 0.0) == pytest.approx(own["sd"].item())


def test_the_spread_of_sites_is_that_of_their_accounts(changzhi):
    spread = changzhi.tables["account_spread"].filter(scope_kind="site", quantity="unaccounted", method="linear")
    links = changzhi.tables["links_by_site"].filter(
        (pl.col("target") == "end:unaccounted") | (pl.col("source") == "end:excess")
    )
    named = links.with_columns(
        scope=pl.when(pl.col("source") == "end:excess").then("target").otherwise("source").str.strip_prefix("site:")
    )
    both = named.join(spread, on="scope").drop_nulls("sd_t")
    assert both.height > 3
    np.testing.assert_allclose(both["mass_t"], both["value"].abs(), rtol=1e-9)
    np.testing.assert_allclose(both["sd_t"], both["sd"], rtol=1e-9)


def test_uncertainty_of_a_measured_purchase_by_hand():
    row = {
        "plant": "boiler",
        "commodity": "coal",
        "direction": "in",
        "amount": 4000.0,
        "uncertainty_pct": 5.0,
        "year": 2024,
    }
    result = balance(tiny_plan(measurements=[row]), BalanceOptions(reconcile=False))
    port = result.tables["ports"].filter(plant="boiler", commodity="coal", direction="in").row(0, named=True)
    link = result.tables["links_by_commodity"].filter(source="end:bought", target="commodity:coal").row(0, named=True)
    assert link["mass_t"] == pytest.approx(port["mass_t"])
    assert link["sd_t"] == pytest.approx(200.0, rel=1e-6)
    link = next(
        said
        for said, value in zip(
            *(result.figures("en")["links_by_commodity"]["data"][0]["link"][key] for key in ("customdata", "value")),
            strict=True,
        )
        if value == pytest.approx(port["mass_t"])
    )
    assert link[1] == "± 392 t/a (95 %)"


def test_what_has_no_range_says_so(tiny):
    said = {text[1] for text in tiny.figures("en")["links_by_chain"]["data"][0]["link"]["customdata"]}
    assert "uncertainty not known: no stated range" in said


def test_groups_of_commodities():
    table = pl.DataFrame(
        [
            {"kind": "emission", "natural": False, "sw_code": None, "lhv_gj_per_unit": 0.0, "state": "gas"},
            {"kind": "material", "natural": True, "sw_code": None, "lhv_gj_per_unit": None, "state": "gas"},
            {"kind": "material", "natural": None, "sw_code": "SW02", "lhv_gj_per_unit": 3.0, "state": "solid"},
            {"kind": "material", "natural": False, "sw_code": None, "lhv_gj_per_unit": 20.0, "state": "solid"},
            {"kind": "material", "natural": False, "sw_code": None, "lhv_gj_per_unit": None, "state": "vapour"},
            {"kind": "material", "natural": False, "sw_code": None, "lhv_gj_per_unit": None, "state": "slurry"},
            {"kind": "material", "natural": False, "sw_code": None, "lhv_gj_per_unit": None, "state": "sludge"},
        ]
    )
    found = table.select(commodity_group()).to_series().to_list()
    assert found == ["emission", "natural", "solid_waste", "fuel", "gas", "liquid", "solid"]


def test_residuals_are_those_of_the_accounts(result):
    rows = result.tables["residuals"]
    accounts = result.tables["accounts"].filter(scope_kind="plant")
    assert rows.height == accounts["scope"].n_unique()
    known = rows.drop_nulls("unaccounted_t")
    np.testing.assert_allclose(known["mass_in_t"] - known["mass_out_t"], known["unaccounted_t"], atol=1e-6)
    share = known.drop_nulls("share_pct")
    np.testing.assert_allclose(share["share_pct"] * share["mass_in_t"] / 100, share["unaccounted_t"], atol=1e-6)
    assert known["unaccounted_t"].abs().is_sorted(descending=True)


def test_residual_chart_draws_the_largest(changzhi):
    figure = changzhi.figures("en")["residuals"]
    drawn = {y: x for bar in figure["data"] for x, y in zip(bar["x"], bar["y"], strict=True)}
    head = changzhi.tables["residuals"].head(figures_residual.LARGEST)
    assert [drawn[place] for place in range(len(drawn))] == head["unaccounted_t"].to_list()
    assert "5 smaller" in figure["layout"]["xaxis"]["title"]["text"]


def test_residual_beyond_its_range_stands_out(changzhi):
    bars = {bar["name"]: bar for bar in changzhi.figures("en")["residuals"]["data"]}
    rows = changzhi.tables["residuals"].head(figures_residual.LARGEST)
    beyond = rows.filter((pl.col("low95_t") > 0) | (pl.col("high95_t") < 0))
    red = [bar for name, bar in bars.items() if name.startswith("Beyond")]
    assert sum(len(bar["x"]) for bar in red) == beyond.filter(pl.col("sd_t") > 0).height > 0


def test_a_plant_of_unknown_activity_is_counted_not_drawn():
    rows = [{**row, "activity": None} if row["plant"] == "boiler" else row for row in PLANTS]
    result = balance(tiny_plan(plants=rows))
    figure = result.figures("en")["residuals"]
    assert "1 of unknown mass" in figure["layout"]["xaxis"]["title"]["text"]
    assert result.tables["residuals"].filter(plant="boiler")["unaccounted_t"].item() is None


def test_the_map_holds_the_flows_between_plants(result):
    between = result.tables["flows"].filter(pl.col("from_plant").is_not_null() & pl.col("to_plant").is_not_null())
    found = result.tables["network_map"]
    assert found.height == between.height > 0
    assert found["mass_t"].sum() == pytest.approx(between["mass_t"].sum())
    drawn = [trace for trace in result.figures("en")["network_map"]["data"] if "angle" in trace.get("marker", {})]
    assert sum(len(trace["x"]) for trace in drawn) == found.height


def test_wider_lines_carry_more(changzhi):
    flows = changzhi.tables["network_map"]
    step = figures_map._width(flows["mass_t"])
    table = flows.with_columns(step=step).drop_nulls("mass_t").sort("mass_t")
    assert table["step"].is_sorted()
    assert set(flows.with_columns(step=step).filter(pl.col("mass_t").is_null())["step"]) <= {0}
    assert step.max() == len(figures_map._WIDTHS) - 1


def test_every_plant_is_drawn_once(result):
    traces = [t for t in result.figures("en")["network_map"]["data"] if "angle" not in t.get("marker", {})]
    dots = [t for t in traces if t["mode"] == "markers+text"]
    spots = [spot for t in dots for spot in zip(t["x"], t["y"], strict=True)]
    assert len(spots) == len(set(spots)) == result.tables["plants"].height


def test_crowded_maps_name_plants_in_the_hover_only(tiny, monkeypatch):
    monkeypatch.setattr(figures_map, "NAMED", 1)
    modes = {t["mode"] for t in figures_map.map_figure(tiny.tables, "en")["data"]}
    assert modes == {"lines", "markers"}


def test_a_large_map_draws_the_heaviest(changzhi, monkeypatch):
    monkeypatch.setattr(figures_map, "LARGEST", 3)
    figure = figures_map.map_figure(changzhi.tables, "en")
    drawn = [trace for trace in figure["data"] if "angle" in trace.get("marker", {})]
    assert sum(len(trace["x"]) for trace in drawn) == 3
    assert f"the {changzhi.tables['network_map'].height - 3} smallest" in figure["layout"]["title"]["text"]


def test_plants_of_unknown_place_stand_on_a_ring():
    rows = [{**row, "lon": None, "lat": None} for row in SITES]
    result = balance(tiny_plan(sites=rows))
    plants = result.tables["network_map_plants"]
    assert plants["located_by"].null_count() == plants.height > 2
    spots, centres, _ = positions(plants)
    assert centres == {}
    np.testing.assert_allclose(np.hypot(*spots.T), np.hypot(*spots[0]))
    names = [t["name"] for t in result.figures("en")["network_map"]["data"] if "name" in t]
    assert "Plants of unknown place" in names


def test_places_keep_their_directions_and_do_not_overlap():
    plants = pl.DataFrame(
        {"located_by": ["a"] * 9 + ["b", "c"], "lon": [105.0] * 9 + [105.001, 106.0], "lat": [26.0] * 9 + [26.0, 27.0]}
    )
    spots, _, stretch = positions(plants)
    a, b, c = spots[:9], spots[9], spots[10]
    assert c[0] > max(a[:, 0].max(), b[0])
    assert c[1] > max(a[:, 1].max(), b[1])
    centre = a.mean(axis=0)
    flat = np.array([stretch, 1.0])
    ring = np.hypot(*((a - centre) / flat).T).max()
    assert np.hypot(*((b - centre) / flat)) > ring
    assert stretch == pytest.approx(1 / math.cos(math.radians(np.mean([26] * 10 + [27]))), rel=1e-9)


def test_the_map_of_no_plants_is_empty():
    spots, centres, stretch = positions(pl.DataFrame(schema={"located_by": pl.String, "lon": float, "lat": float}))
    assert (spots.shape, centres, stretch) == ((0, 2), {}, 1.0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plant_called_script_is_only_a_name(language):
    plants = [{**row, "name": HOSTILE, "name_zh": HOSTILE} for row in PLANTS]
    sites = [{**row, "name": HOSTILE, "name_zh": HOSTILE} for row in SITES]
    figures = balance(tiny_plan(plants=plants, sites=sites)).figures(language)
    for name, figure in figures.items():
        text = json.dumps(figure, ensure_ascii=False)
        assert "<script" not in text, name
        assert "</script" not in text, name
    assert "&lt;script&gt;" in json.dumps(figures["residuals"])
    assert "&lt;script&gt;" in json.dumps(figures["network_map"])
    assert "&lt;script&gt;" in json.dumps(figures["links_by_site"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plotly_accepts_every_picture(result, language):
    for name, figure in result.figures(language).items():
        drawn = go.Figure(json.loads(json.dumps(figure, allow_nan=False)))
        assert drawn.layout.title.text, name
        assert drawn.data, name


def test_chinese_pictures_hold_no_english_sentence(changzhi):
    english = {texts["en"] for key, texts in catalogue().items() if key.startswith(("picture.", "balance.end_"))}
    plain = {text for text in english if "{" not in text}
    words = set(re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(changzhi.figures("zh"), ensure_ascii=False)))
    assert not plain & words


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_shows_names_once_escaped_and_no_tags(language):
    plants = [{**row, "name": "A & <b>", "name_zh": "A & <b>"} for row in PLANTS]
    figures = balance(tiny_plan(plants=plants)).figures(language)
    shown = json.dumps(escape_figure(figures))
    assert "A &amp; &lt;b&gt;" in shown
    assert "&amp;amp;" not in shown
    assert "&lt;br&gt;" not in shown


def test_pictures_do_not_change_from_run_to_run(tiny):
    again = balance(tiny_plan())
    assert json.dumps(tiny.figures("en")) == json.dumps(again.figures("en"))
