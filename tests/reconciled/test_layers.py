"""Substances and energy over the goods: contents by hand, mixing, losses, what is unknown, and the tables of it."""

import numpy as np
import polars as pl
import pytest
from test_two_plants import measured, row
from tiny_park import tiny_plan

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.industry import balance
from cyclopolis.industry.metabolism.plan_reconcile import reconcile_plan
from cyclopolis.industry.metabolism.plan_reconcile_tables import reconciled_table

CARBON = [{"substance": "carbon", "unit": "t"}]
NONE = [
    {"substance": "carbon", "commodity": name, "value": 0.0} for name in ("oxygen_air", "so2", "freshwater", "cement")
]


def content(commodity, value, sd=None, **more):
    return {"substance": "carbon", "commodity": commodity, "value": value, "uncertainty": sd, **more}


def of(result, kind, commodity, **more):
    return row(result, "reconciled", kind=kind, commodity=commodity, layer="carbon", **more)


@pytest.fixture(scope="module")
def burnt():
    """Carbon of coal goes into ash and carbon dioxide."""
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0), measured("boiler", "co2_fossil", "out", 7200.0, 100.0)]
    contents = [content("coal", 0.5, 0.01), content("ash", 0.02, 0.005), content("co2_fossil", 12 / 44, 0.0), *NONE]
    return balance(tiny_plan(exchanges=[], measurements=rows, substances=CARBON, concentrations=contents))


def test_goods_and_carbon_together_against_least_squares(burnt):
    from scipy.optimize import least_squares

    def rest(z):
        run, coal, ash, c, a = z
        gas = (c * coal - a * ash) * 44 / 12
        return np.array(
            [
                (coal - 4000) / 40,
                (gas - 7200) / 100,
                (c - 0.5) / 0.01,
                (a - 0.02) / 0.005,
                (run - 10_000) / 500,
                (coal - 0.4 * run) / 400,
                (ash - 0.1 * run) / 100,
                (gas - 0.7 * run) / 700,
            ]
        )

    start = [10_000, 4000, 1000, 0.5, 0.02]
    found = least_squares(rest, start, x_scale=start, xtol=1e-14, ftol=1e-14)
    goods = row(burnt, "reconciled", kind="port", plant="boiler", commodity="coal")
    assert goods["reconciled"] == pytest.approx(found.x[1], rel=1e-7)
    assert of(burnt, "concentration", "coal")["reconciled"] == pytest.approx(found.x[3], rel=1e-7)
    assert of(burnt, "concentration", "ash")["reconciled"] == pytest.approx(found.x[4], rel=1e-6)
    test = row(burnt, "reconcile_tests")
    assert test["chi_square"] == pytest.approx(2 * found.cost, rel=1e-6)
    assert (test["dof"], test["converged"]) == (3, True)
    spread = np.linalg.inv(found.jac.T @ found.jac)
    assert of(burnt, "concentration", "coal")["reconciled_sd"] == pytest.approx(spread[3, 3] ** 0.5, rel=1e-5)


def test_carbon_closes_at_the_plant(burnt):
    table = burnt.tables["substance_balances"].filter(pl.col("plant") == "boiler")
    into, out = table.sort("side")["value"].to_list()
    assert into == pytest.approx(out)
    amounts = burnt.tables["reconciled"].filter((pl.col("kind") == "substance") & (pl.col("plant") == "boiler"))
    assert amounts.filter(pl.col("direction") == "in")["reconciled"].sum() == pytest.approx(into)
    assert table["sd"][0] == pytest.approx(table["sd"][1])


def test_what_crosses_the_boundary_is_what_the_plants_pass(burnt):
    table = burnt.tables["substance_accounts"].filter(pl.col("scope_kind") == "place")
    value = dict(table.select("movement", "value").rows())
    assert value["bought"] == pytest.approx(
        sum(value[name] for name in ("emit", "landfill", "inside") if name in value)
    )


def test_an_unknown_content_is_unknown_not_none():
    # Nobody says what carbon the air or the water holds: the ash cannot be found.
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0)]
    contents = [content("coal", 0.5, 0.01), content("co2_fossil", 12 / 44, 0.0), content("ash", None)]
    result = balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=contents))
    found = of(result, "concentration", "ash")
    assert (found["reconciled"], found["class"]) == (None, "unobservable")
    assert result.tables["substance_balances"].filter(pl.col("side") == "out")["value"].null_count() > 0


def test_an_unknown_content_is_found_where_the_balance_tells():
    rows = [measured("boiler", "coal", "in", 4000.0, 1.0), measured("boiler", "co2_fossil", "out", 7200.0, 1.0)]
    rows.append(measured("boiler", "ash", "out", 1000.0, 1.0))
    contents = [content("coal", 0.5, 0.0), content("co2_fossil", 12 / 44, 0.0), content("ash", None), *NONE]
    result = balance(tiny_plan(exchanges=[], measurements=rows, substances=CARBON, concentrations=contents))
    found = of(result, "concentration", "ash")
    assert found["class"] == "unmeasured-observable"
    assert found["reconciled"] == pytest.approx((2000 - 7200 * 12 / 44) / 1000, rel=1e-2)


def test_an_input_holds_the_mix_of_what_comes_in():
    # The mill's ash: 400 of the boiler at 0.02 (sampled there), the rest from elsewhere, of unknown content.
    rows = [measured("mill", "ash", "in", 600.0, 1.0)]
    contents = [content("ash", 0.02, 0.002, plant="boiler", direction="out"), *NONE]
    result = balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=contents))
    given = of(result, "substance", "ash", to_plant="mill")
    assert given["reconciled"] == pytest.approx(8.0, rel=1e-6)
    mixed = result.tables["reconciled"].filter(
        (pl.col("kind") == "substance")
        & (pl.col("plant") == "mill")
        & (pl.col("commodity") == "ash")
        & pl.col("way").is_null()
    )
    assert mixed["class"].to_list() == ["unobservable"]
    # Sampled at both ends and nothing else coming in, the two samples are of one thing.
    both = [*contents, content("ash", 0.03, 0.002, plant="mill", direction="in")]
    whole = [measured("mill", "ash", "in", 400.0, 1.0), measured("boiler", "ash", "out", 1000.0, 1.0)]
    flow = {"from_plant": "boiler", "to_plant": "mill", "commodity": "ash", "amount": 400.0, "uncertainty": 1.0}
    whole.append(flow | {"year": 2024})
    joined = balance(tiny_plan(measurements=whole, substances=CARBON, concentrations=both))
    samples = joined.tables["reconciled"].filter(pl.col("kind") == "concentration").filter(pl.col("commodity") == "ash")
    assert samples["reconciled"].to_list() == pytest.approx([0.025, 0.025], rel=1e-6)
    assert samples["suspect"].all()
    said = [line.name.render(language) for language in LANGUAGES for line in joined.summary()]
    assert any("carbon in ash (concentrations, row 1)" in text for text in said)
    assert any("ash 中的 carbon" in text for text in said)


def test_a_sampled_flow_comes_before_the_commodity_everywhere():
    contents = [content("ash", 0.02, 0.0), content("ash", 0.05, 0.0, from_plant="boiler", to_plant="mill"), *NONE]
    rows = [measured("boiler", "ash", "out", 1000.0, 1.0)]
    result = balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=contents))
    assert of(result, "substance", "ash", to_plant="mill")["reconciled"] == pytest.approx(20.0)
    account = row(result, "substance_accounts", scope_kind="place", movement="inside")
    assert account["value"] == pytest.approx(20.0)


def test_energy_is_lost_where_it_is_lossy():
    # 4000 t of coal at 20 GJ/t, 10,000 MWh of power at 3.6: what is left is lost; the others hold none.
    energy = [{"substance": "energy", "unit": "GJ", "balance": "lossy"}]
    held = {"coal": 20.0, "electricity": 3.6}
    none = ("oxygen_air", "so2", "freshwater", "co2_fossil", "ash")
    rows = [measured("boiler", "coal", "in", 4000.0, 0.0), measured("boiler", "electricity", "out", 10_000.0, 0.0)]
    contents = [
        {"substance": "energy", "commodity": name, "value": held.get(name, 0.0), "uncertainty": 0.2 * (name == "coal")}
        for name in (*held, *none)
    ]
    result = balance(tiny_plan(measurements=rows, substances=energy, concentrations=contents))
    loss = row(result, "reconciled", kind="loss", plant="boiler")
    assert (loss["reconciled"], loss["unit"]) == (pytest.approx(44_000), "GJ/a")
    assert loss["reconciled_sd"] == pytest.approx(800)
    sides = dict(result.tables["substance_balances"].filter(pl.col("plant") == "boiler").select("side", "value").rows())
    assert sides == {"in": pytest.approx(80_000), "out": pytest.approx(36_000), "loss": pytest.approx(44_000)}


def test_power_carries_no_mass():
    contents = [content("coal", 0.5, 0.01), content("co2_fossil", 12 / 44, 0.0), content("ash", 0.0), *NONE]
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0)]
    table = balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=contents)).tables["reconciled"]
    assert table.filter((pl.col("layer") == "carbon") & (pl.col("commodity") == "electricity")).is_empty()


def test_a_content_of_all_years_is_shared_and_one_of_a_year_is_not():
    rows = [
        measured("boiler", name, way, value, 10.0) | {"year": year}
        for year, factor in ((2024, 1.0), (2023, 0.9))
        for name, way, value in (("coal", "in", 4000.0), ("co2_fossil", "out", 7200.0 * factor))
    ]
    sure = [content("co2_fossil", 12 / 44, 0.0), content("ash", 0.0), *NONE]
    shared, own = (
        balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=[*sure, *coal]))
        for coal in ([content("coal", 0.5, 0.05)], [content("coal", 0.5, 0.05, year=year) for year in (2024, 2023)])
    )
    one = shared.tables["reconciled"].filter((pl.col("kind") == "concentration") & (pl.col("commodity") == "coal"))
    assert one["year"].to_list() == [None]
    two = own.tables["reconciled"].filter((pl.col("kind") == "concentration") & (pl.col("commodity") == "coal"))
    early, late = two.sort("year")["reconciled"].to_list()
    assert early < one["reconciled"].item() < late


def test_a_content_of_nothing_that_flows_is_listed():
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0)]
    astray = content("clay", 0.1, 0.01, plant="boiler", direction="in")
    result = balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=[astray]))
    assert row(result, "unknowns", reason="concentration_not_placed")["commodity"] == "clay"


def test_exact_contents_that_contradict_name_their_rows():
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0)]
    contents = [content("coal", 0.5, 0.0), content("coal", 0.6, 0.0, note="again")]
    with pytest.raises(UserError) as caught:
        balance(tiny_plan(measurements=rows, substances=CARBON, concentrations=contents))
    assert "concentrations:1" in str(caught.value)
    assert "concentrations:2" in str(caught.value)


def test_layers_are_read_with_units(tmp_path):
    folder = tmp_path / "plan"
    cyclopolis.new_plan(folder, "changzhi")
    plan = cyclopolis.read_plan(folder)
    sewage = plan.tables["concentrations"].filter(pl.col("commodity") == "sewage").row(0, named=True)
    assert sewage["value"] == pytest.approx(4.5e-6)  # mg/L as t per m3
    table = reconciled_table(reconcile_plan(plan))
    sludge = table.filter(pl.col("kind") == "concentration", commodity="sewage_sludge").row(0, named=True)
    assert (sludge["class"], sludge["unit"]) == ("unmeasured-observable", "t/t")
    assert 0.005 < sludge["reconciled"] < 0.0065
