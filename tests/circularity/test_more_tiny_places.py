"""Cycling and shape of tiny places, from flow tables made by hand with the numbers worked out beside them."""

import itertools

import numpy as np
import polars as pl
import pytest

from cyclopolis.industry.metabolism.circularity_table import circularity_table

CYCLING = ("throughflow", "path_length", "finn_cycling_index", "ascendency", "development_capacity")


def found(flows, plants):
    """Return the measures of the place for flows (kind, from, to, mass)."""
    kind, giver, taker, mass = zip(*flows, strict=True)
    rows = pl.DataFrame(
        {"kind": kind, "from_plant": giver, "to_plant": taker, "commodity": ["stuff"] * len(flows), "mass_t": mass},
        schema_overrides={"from_plant": pl.String, "to_plant": pl.String, "mass_t": pl.Float64},
    )
    details = pl.DataFrame(
        {"scope_kind": ["place"], "scope": ["place"], "account": ["material"], "item": ["input"], "of": [None]}
        | {"value": [1.0], "missing": [0]},
        schema_overrides={"of": pl.String},
    )
    scopes = pl.DataFrame({"scope_kind": "place", "scope": "place", "plant": list(plants)})
    goods = pl.DataFrame({"commodity": ["stuff"], "kind": ["material"]})
    table = circularity_table(rows, details, scopes, goods)
    return {row["measure"]: row["value"] for row in table.iter_rows(named=True)}


def ring(names, back, inflow=1.0):
    """All pass on all they take; the last returns the share ``back`` to the first and sells the rest."""
    through = inflow / (1 - back)
    flows = [("purchase", None, names[0], inflow)]
    flows += [("exchange", one, two, through) for one, two in itertools.pairwise(names)]
    return [*flows, ("exchange", names[-1], names[0], back * through), ("sale", names[-1], None, (1 - back) * through)]


@pytest.mark.parametrize("names", ["ab", "abc", "abcdef"])
@pytest.mark.parametrize("back", [0.1, 0.5, 0.8])
def test_a_ring_of_plants(names, back):
    """Each plant is passed 1 / (1 - back) times by every tonne bought."""
    here = found(ring(names, back, 10.0), names)
    count = len(names)
    assert here["throughflow"] == pytest.approx(10 * count / (1 - back))
    assert here["path_length"] == pytest.approx(count / (1 - back))
    assert here["finn_cycling_index"] == pytest.approx(back)
    assert here["cyclicity"] == pytest.approx(1.0)
    assert here["largest_strong"] == here["actors"] == here["links"] == count
    assert here["connectance"] == pytest.approx(1 / (count - 1))  # n links of n (n - 1)
    assert here["linkage_density"] == 1.0


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_line_of_plants(count):
    """count + 1 equal flows of 4 t, one after the other: TST 4 n, ascendency = capacity = 4 (n + 1) log2(n + 1)."""
    names = "abcde"[:count]
    flows = [("purchase", None, "a", 4.0), *(("exchange", *pair, 4.0) for pair in itertools.pairwise(names))]
    here = found([*flows, ("sale", names[-1], None, 4.0)], names)
    assert here["throughflow"] == pytest.approx(4.0 * count)
    assert here["finn_cycling_index"] == pytest.approx(0.0, abs=1e-12)
    assert here["ascendency"] == pytest.approx(4 * (count + 1) * np.log2(count + 1))
    assert here["development_capacity"] == pytest.approx(here["ascendency"])
    assert here["cyclicity"] == 0.0
    assert here["largest_strong"] == 1.0
    assert here["connectance"] == pytest.approx((count - 1) / (count * (count - 1)))


@pytest.mark.parametrize("factor", [1e-6, 3.0, 1e6])
def test_more_of_everything_leaves_the_ratios(factor):
    flows = [*ring("abc", 0.4), ("purchase", None, "b", 0.7), ("landfill", "b", None, 0.7)]
    once = found(flows, "abc")
    more = found([(*flow[:3], factor * flow[3]) for flow in flows], "abc")
    for name in ("throughflow", "ascendency", "development_capacity"):
        assert more[name] == pytest.approx(factor * once[name])
    for name in ("path_length", "finn_cycling_index", "ascendency_share", "cyclicity", "connectance", "links"):
        assert more[name] == pytest.approx(once[name])


def test_a_flow_in_two_rows_is_one_flow():
    whole = found(ring("abc", 0.5), "abc")
    halves = [(*flow[:3], flow[3] / 2) for flow in ring("abc", 0.5) for _ in range(2)]
    parts = found(halves, "abc")
    for name in (*CYCLING, "links", "actors", "cyclicity"):
        assert parts[name] == pytest.approx(whole[name]), name


def test_names_of_plants_say_nothing():
    one = found(ring("abcd", 0.3), "abcd")
    two = found(ring("wzxy", 0.3)[::-1], "yxwz")
    for name in (*CYCLING, "cyclicity", "largest_strong"):
        assert two[name] == pytest.approx(one[name]), name


@pytest.mark.parametrize("kind", ["landfill", "sale"])
def test_where_it_leaves_to_does_not_touch_what_cycles(kind):
    """3 t bought, 2 of 5 t return: through a and b 5 t each, 40 % of it for the second time or later."""
    flows = [("purchase", None, "a", 3.0), ("exchange", "a", "b", 5.0), ("exchange", "b", "a", 2.0)]
    here = found([*flows, (kind, "b", None, 3.0)], "ab")
    assert here["throughflow"] == pytest.approx(10.0)
    assert here["finn_cycling_index"] == pytest.approx(0.4)
    assert here["path_length"] == pytest.approx(10 / 3)


def test_two_rings_side_by_side_are_weighed_by_their_throughflow():
    """abc: back 0.5, TST 6; de: back 0.2 of 4 t, TST 10: FCI = (3 + 2) / 16."""
    here = found([*ring("abc", 0.5), *ring("de", 0.2, 4.0)], "abcde")
    assert here["throughflow"] == pytest.approx(16.0)
    assert here["finn_cycling_index"] == pytest.approx(5 / 16)
    assert here["path_length"] == pytest.approx(16 / 5)
    assert here["largest_strong"] == 3.0
    assert here["links"] == 5.0


def test_two_rings_woven_into_one_are_more_than_single_cycles():
    """a-b-c-a and a-c: eigenvalue of x³ = x + 1."""
    flows = [*ring("abc", 0.5), ("exchange", "a", "c", 0.3)]
    flows = [(*flow[:3], flow[3] - 0.3) if flow[1:3] in {("a", "b"), ("b", "c")} else flow for flow in flows]
    here = found(flows, "abc")
    assert here["cyclicity"] == pytest.approx(1.3247179572447460)
    assert here["finn_cycling_index"] < 0.5 + 1e-12
