"""Gaps, measures, SWOT, recommendations, peers: every number checked against the tables it was taken from."""

import csv
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import PARK, place, quantities, value
from test_scores import framework, indicator, rated

from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.rating import rate
from cyclopolis.rating.advice import KINDS, read_advice, write_advice
from cyclopolis.rating.assessment import assessment_folder
from cyclopolis.rating.gaps import measures
from cyclopolis.rating.peers import lessons, nearest, percentiles

WATER = {"formula": "fresh_water / iav", "inputs": {"fresh_water": "m3/a", "iav": "10^4 CNY/a"}, "unit": "m3/10^4 CNY"}
GIVEN = [value("iav", 1000, "10^4 CNY"), value("fresh_water", 20_000, "m3"), value("b", 80, "%"), value("c", 51, "%")]


def park(folder, *more, after=None):
    water = indicator("a", "<=", 8, **{**WATER, "direction": "lower"})
    tree = framework([water, indicator("b"), indicator("c"), indicator("d"), indicator("e", mark=90)])
    return rated(folder, tree, *GIVEN, value("e", 45, "%"), *more, after=after)


def one_row(table, **where):
    found = table.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1
    return found.row(0, named=True)


def test_a_gap_with_the_measure_that_closes_it(tmp_path) -> None:
    gaps = park(tmp_path).tables["gaps"]
    assert gaps["indicator"].to_list() == ["a", "e"]
    row = one_row(gaps, indicator="a")
    assert (row["value"], row["threshold"], row["distance"]) == (20, 8, -12)
    assert (row["points"], row["share"], row["rank"]) == (1, 0.2, 1)
    assert row["change"] == pytest.approx(-12_000, rel=1e-3)
    assert (row["measure"], row["change_unit"]) == ("water_saving", "m3/a")
    assert (row["cost_low"], row["cost_high"]) == (pytest.approx(0.06, rel=1e-3), pytest.approx(0.24, rel=1e-3))
    assert row["share_per_cost"] == pytest.approx(20 / 0.15, rel=1e-3)
    other = one_row(gaps, indicator="e")
    assert (other["measure"], other["rank"]) == (None, 2)
    assert row["obstacle"] + other["obstacle"] == pytest.approx(1)
    assert row["obstacle"] == pytest.approx(0.6 / 1.1)  # 1 - 8/20 and 1 - 45/90


def test_a_measure_that_must_raise_a_value(tmp_path) -> None:
    share = {"formula": "100 * isw_utilised / isw_generated", "unit": "%"}
    inputs = {"isw_utilised": "t/a", "isw_generated": "t/a"}
    tree = framework([indicator("a", mark=70, **share, inputs=inputs)])
    given = [value("isw_utilised", 300, "t"), value("isw_generated", 1000, "t")]
    row = one_row(rated(tmp_path, tree, *given).tables["gaps"], indicator="a")
    assert row["change"] == pytest.approx(400, rel=1e-3)
    assert row["measure"] == "waste_use"


def test_every_measure_moves_a_known_input() -> None:
    from cyclopolis.library.frameworks.glossary import shipped_inputs
    from cyclopolis.library.frameworks.units import conversion

    for one in measures():
        assert conversion(one.unit, shipped_inputs()[one.input].unit), one.id
        assert 0 < one.capex_low <= one.capex_high
        assert one.provenance in {"seen", "memory"}
    assert {one["provenance"] for one in lessons()} <= {"seen", "memory"}
    assert {one["axis"] for one in lessons()} == {"economy", "environment", "society"}


def test_swot_and_recommendations_carry_their_numbers(tmp_path) -> None:
    advice = park(tmp_path).tables["advice"]
    found = {row["id"]: row for row in advice.iter_rows(named=True)}
    strength = found["strength:met:b"]["text"]
    assert "80 %" in strength
    assert "50 %" in strength
    assert "1.6 times" in strength
    assert "20 m³/10^4 CNY" in found["weakness:gap:a"]["text"]
    assert "54.5 %" in found["weakness:gap:a"]["text"]
    assert "2 % only" in found["threat:narrow:c"]["text"]
    first = advice.filter(pl.col("kind") == "recommendation").sort("rank").row(0, named=True)
    assert first["id"] == "recommendation:measure:a"
    assert "12,000 m³/a" in first["text"]
    assert "0.06 to 0.24 million CNY" in first["text"]
    assert "1 values (first d)" in found["recommendation:data:own"]["text"]
    assert all(set(row["text"]).isdisjoint("{}") and row["text_zh"] != row["text"] for row in found.values())
    assert set(advice["kind"]) <= set(KINDS)


def test_at_most_ten_recommendations_and_five_of_the_rest() -> None:
    given = [value(name, 0.01, unit) for name, unit in (("iav", "10^4 CNY"), ("employees", "person"))]
    given += [value("energy_tce", 1e6, "tce"), value("fresh_water", 1e9, "m3"), value("isw_generated", 1e6, "t")]
    given += [value(name, 0, "1") for name in ("hj274-20", "hj274-21", "hj274-24", "hj274-25", "gp-27")]
    advice = rate(place(sites=[PARK], indicators=given)).tables["advice"]
    counts = dict(advice.group_by("kind").len().iter_rows())
    assert counts["recommendation"] <= 10
    assert all(count <= 5 for kind, count in counts.items() if kind != "recommendation")
    for kind, count in counts.items():
        assert sorted(advice.filter(pl.col("kind") == kind)["rank"]) == list(range(1, count + 1))


def test_the_design_speaks(tmp_path) -> None:
    tree = framework([indicator("w", "<=", 8, **{**WATER, "direction": "lower"})])
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "own.yaml").write_text(json.dumps(tree))
    plan = place(folder=tmp_path, sites=[PARK], indicators=GIVEN[:2])
    builds = pl.DataFrame({"plant": ["p", "q"], "capex": [3.0, None]})
    limits = pl.DataFrame(
        [("", "water", 9.0, 9.0, True, "m3/a")],
        schema=["scope", "quantity", "bound", "after", "binding", "unit"],
        orient="row",
    )
    proposed = pl.DataFrame(
        [("p", "q", "ash", 5.0, 4.0, "found", "t"), ("q", "p", "slag", 6.0, 0.0, "no_rule", "t")],
        schema=["from_plant", "to_plant", "commodity", "amount", "found", "status", "unit"],
        orient="row",
    )
    engines = quantities({"water": 20_000.0}, {"water": 7_000.0})
    rating = rate(plan, engines, ["own"], {"builds": builds, "limits": limits, "proposed": proposed})
    texts = {row["id"]: row["text"] for row in rating.tables["advice"].iter_rows(named=True)}
    assert "from 20 m³/10^4 CNY to 7 m³/10^4 CNY" in texts["opportunity:closed:w"]
    assert (
        "2 new plants for 3 million CNY (1 of them without a known price) close 1 gaps"
        in texts["recommendation:design"]
    )
    assert "4 t a year" in texts["opportunity:link:p>q:ash"]
    assert "reason no_rule" in texts["threat:link:q>p:slag"]
    assert "Fresh water taken, 9 m³/a, binds" in texts["threat:limit::water"]
    assert rating.tables["gaps"]["closed"].to_list() == [True]
    for language in LANGUAGES:
        figures = rating.figures(language)
        json.dumps(figures)
        assert figures["gaps"]["data"][0]["marker"]["color"] == ["#1b7f5c"]


def test_sentences_are_edited_in_a_file_and_read_back(tmp_path) -> None:
    folder = assessment_folder(tmp_path)
    path = write_advice(folder, park(tmp_path).tables["advice"])
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    for row in rows:
        if row["id"] == "weakness:gap:a":
            row["text"] = "Water is our sore point."
        if row["id"] == "weakness:gap:e":
            row["keep"] = "no"
    own = dict.fromkeys(rows[0], "") | {"id": "mine", "kind": "threat", "text": "A drought.", "keep": "yes"}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows([*rows, own])
    advice = park(tmp_path, value("b", 90, "%")).tables["advice"]
    found = {row["id"]: row for row in advice.iter_rows(named=True)}
    assert (found["weakness:gap:a"]["text"], found["weakness:gap:a"]["edited"]) == ("Water is our sore point.", True)
    assert "weakness:gap:e" not in found
    assert (found["mine"]["text_zh"], found["mine"]["edited"]) == ("A drought.", True)
    assert "90 %" in found["strength:met:b"]["text"]  # not edited: it follows the numbers
    write_advice(folder, advice)
    again = park(tmp_path, value("b", 90, "%")).tables["advice"]
    assert again.select("id", "text", "edited").rows() == advice.select("id", "text", "edited").rows()


@pytest.mark.parametrize(
    ("text", "words"), [("id,kind\na,threat\n", "text, text_zh"), ("id,kind,text,text_zh\na,joy,x,y\n", "row 2.*joy")]
)
def test_a_spoilt_file_is_named(text, words, tmp_path) -> None:
    (tmp_path / "advice.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        read_advice(tmp_path)


def test_places_are_compared_with_each_other() -> None:
    sites = [{"site": name, "kind": "park", "area_km2": 1.0, "population": 1.0} for name in ("p", "q", "r", "s")]
    given = [
        value(name, number, "count", site=site)
        for site, numbers in (("p", (1, 2)), ("q", (2, 4)), ("r", (9, 9)), ("s", (1, 2)))
        for name, number in zip(("hj274-05", "firms_total"), numbers, strict=True)
    ]
    rating = rate(place(sites=sites, indicators=given), frameworks=["hj-274-2015"])
    own = one_row(rating.tables["peers"], scope="q", indicator="hj274-05")
    assert own["places"] == 4
    assert own["percentile"] == pytest.approx(200 / 3)
    assert one_row(rating.tables["neighbours"], scope="p", rank=1)["peer"] == "s"
    for method in ("equal", "entropy", "critic"):
        ranking = rating.tables["ranking"].filter(pl.col("weights") == method)
        assert dict(ranking.select("scope", "rank").iter_rows()) == {"r": 1, "q": 2, "p": 3, "s": 3}
        assert one_row(ranking, scope="r")["stable"] == one_row(ranking, scope="r")["first"] == 1


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 7), st.integers(1, 5), st.integers(0, 10**6))
def test_peer_laws(rows, columns, seed) -> None:
    random = np.random.default_rng(seed)
    table = np.where(random.random((rows, columns)) < 0.2, np.nan, random.random((rows, columns)))
    shares = percentiles(table)
    known = ~np.isnan(table)
    for column in range(columns):
        if known[:, column].sum() > 1:
            assert np.nanmean(shares[:, column]) == pytest.approx(50)
    assert np.isnan(shares[~known]).all()
    peers, distance = nearest(table, 3)
    assert peers.shape == (rows, min(3, rows - 1))
    assert np.all(peers != np.arange(rows)[:, None])
    for line in distance:
        sure = line[~np.isnan(line)]
        assert np.all(np.diff(sure) >= -1e-12)
