"""Stocks: every lifetime against SciPy, closed forms, linearity, shifts, uneven years and every message."""

import numpy as np
import pytest
from scipy.stats import foldnorm, lognorm, norm, weibull_min

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.metabolism.stocks import (
    Lifetime,
    entry_points,
    inflow_driven,
    period_bounds,
    stock_by_cohort,
    stock_driven,
    survival,
    survival_by_age,
    survival_table,
)

AGES = np.array([0.0, 0.01, 0.5, 1, 2, 5, 10, 25, 60, 200])
LIVES = {
    "fixed": Lifetime("fixed", mean=4.0),
    "normal": Lifetime("normal", mean=6.0, sd=2.0),
    "folded": Lifetime("folded_normal", mean=6.0, sd=5.0),
    "log-normal": Lifetime("log_normal", mean=9.0, sd=4.0),
    "weibull": Lifetime("weibull", shape=2.5, scale=7.0),
    "exponential": Lifetime("weibull", shape=1.0, scale=5.0),
}
ENTRIES = ("start", "middle", "end", 1, 3, 8)
UNEVEN = np.array([1990.0, 1995, 2000, 2002, 2003, 2004, 2010])


@pytest.mark.parametrize(("mean", "sd"), [(1.0, 0.2), (8.0, 1.0), (8.0, 8.0), (40.0, 12.0), (0.5, 3.0)])
def test_three_normal_kinds_against_scipy(mean, sd):
    for kind, peer in (
        ("normal", norm(mean, sd)),
        ("folded_normal", foldnorm(mean / sd, scale=sd)),
        ("log_normal", lognorm(np.sqrt(np.log1p((sd / mean) ** 2)), scale=mean**2 / np.hypot(mean, sd))),
    ):
        found = survival(Lifetime(kind, mean=mean, sd=sd), AGES)
        np.testing.assert_allclose(found, peer.sf(AGES), rtol=1e-8, atol=1e-13, err_msg=kind)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 3.6, 10.0])
@pytest.mark.parametrize("scale", [0.7, 5.0, 80.0])
def test_weibull_against_scipy_and_its_one_fixed_point(shape, scale):
    life = Lifetime("weibull", shape=shape, scale=scale)
    np.testing.assert_allclose(survival(life, AGES), weibull_min(shape, scale=scale).sf(AGES), rtol=1e-9, atol=1e-300)
    assert survival(life, np.array(scale)) == pytest.approx(np.exp(-1.0))  # whatever the shape


@pytest.mark.parametrize("scale", [0.5, 3.0, 30.0])
def test_weibull_of_shape_one_forgets_its_age(scale):
    """S(a + b) = S(a) S(b): the exponential."""
    life = Lifetime("weibull", shape=1.0, scale=scale)
    first, second = np.array([0.1, 1.0, 4.0]), np.array([2.0, 0.3, 7.0])
    np.testing.assert_allclose(survival(life, first + second), survival(life, first) * survival(life, second))
    np.testing.assert_allclose(survival(life, AGES), np.exp(-AGES / scale))


@pytest.mark.parametrize("name", LIVES)
def test_survival_is_a_share_that_only_falls(name):
    found = survival(LIVES[name], np.linspace(0, 100, 2001))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) <= 1e-15).all()
    assert found[-1] == pytest.approx(0.0, abs=1e-6)
    assert found[0] == pytest.approx(1.0, abs=2e-3)  # the plain normal lets 0.13 % die before they live


def test_half_of_a_normal_stands_at_its_mean_and_a_narrow_one_is_fixed():
    assert survival(Lifetime("normal", mean=6.0, sd=2.0), np.array(6.0)) == pytest.approx(0.5)
    ages = np.array([0.0, 3.9, 4.1, 9.0])
    for kind in ("normal", "folded_normal", "log_normal"):
        np.testing.assert_allclose(
            survival(Lifetime(kind, mean=4.0, sd=1e-3), ages), survival(LIVES["fixed"], ages), atol=1e-12
        )


def test_a_fixed_thing_is_gone_on_the_day():
    assert survival(Lifetime("fixed", mean=4.0), np.array([3.999, 4.0, 4.001])).tolist() == [1.0, 0.0, 0.0]


# --- closed forms ---
@pytest.mark.parametrize("moment", ["start", "middle", "end"])
def test_one_cohort_leaves_as_it_dies(moment):
    """100 t in the first year: the stock is 100 S(age), the outflow its fall."""
    offset = {"start": 1.0, "middle": 0.5, "end": 0.0}[moment]
    inflow = np.array([100.0, *np.zeros(9)])
    model = inflow_driven(np.arange(10.0), inflow, LIVES["weibull"], moment)
    stood = 100 * np.exp(-(((np.arange(10) + offset) / 7.0) ** 2.5))
    np.testing.assert_allclose(model.stock, stood)
    np.testing.assert_allclose(model.outflow, -np.diff(stood, prepend=100.0), atol=1e-12)


def test_a_steady_inflow_of_exponential_things_fills_a_geometric_series():
    """Entry at the end: stock_n = (1 - q^n) / (1 - q) with q = exp(-1/5)."""
    q = np.exp(-0.2)
    model = inflow_driven(np.arange(40.0), np.ones(40), LIVES["exponential"], "end")
    np.testing.assert_allclose(model.stock, (1 - q ** np.arange(1, 41)) / (1 - q))
    assert model.outflow[-1] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("life", [3, 5, 8])
def test_a_steady_inflow_of_fixed_things_holds_inflow_times_life(life):
    model = inflow_driven(np.arange(30.0), np.full(30, 2.0), Lifetime("fixed", mean=float(life)), "end")
    assert model.stock.tolist() == [2.0 * min(year + 1, life) for year in range(30)]
    assert model.outflow.tolist() == [0.0] * life + [2.0] * (30 - life)


@pytest.mark.parametrize(("name", "mean"), [("normal", 6.0), ("log-normal", 9.0), ("exponential", 5.0)])
def test_little_s_law(name, mean):
    """In the long run stock = inflow x mean life, when entry is spread over the year."""
    model = inflow_driven(np.arange(150.0), np.full(150, 3.0), LIVES[name], 10)
    assert model.stock[-1] == pytest.approx(3.0 * mean, rel=1e-3)
    assert model.outflow[-1] == pytest.approx(3.0, rel=1e-4)


# --- laws ---
@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("years", [np.arange(7.0), UNEVEN], ids=["even", "uneven"])
def test_superposition_and_scale(name, entry, years):
    generator = np.random.default_rng(7)
    first, second = generator.uniform(0, 5, (2, 7))
    parts = [inflow_driven(years, part, LIVES[name], entry) for part in (first, second, 3 * first - second)]
    for field in ("inflow", "stock", "outflow"):
        one, two, both = (getattr(part, field) for part in parts)
        np.testing.assert_allclose(both, 3 * one - two, atol=1e-9)


@pytest.mark.parametrize("name", LIVES)
def test_years_may_be_counted_from_anywhere_and_an_idle_start_changes_nothing(name):
    inflow = np.array([1.0, 4, 2, 0, 3])
    base = inflow_driven(np.arange(5.0), inflow, LIVES[name], "middle")
    later = inflow_driven(np.arange(2020.0, 2025.0), inflow, LIVES[name], "middle")
    idle = inflow_driven(np.arange(-3.0, 5.0), np.append(np.zeros(3), inflow), LIVES[name], "middle")
    np.testing.assert_allclose(later.stock, base.stock, atol=1e-12)
    np.testing.assert_allclose(idle.stock, np.append(np.zeros(3), base.stock), atol=1e-12)
    uneven = inflow_driven(UNEVEN + 500, np.ones(7), LIVES[name], "middle")
    np.testing.assert_allclose(uneven.stock, inflow_driven(UNEVEN, np.ones(7), LIVES[name], "middle").stock)


@pytest.mark.parametrize("name", LIVES)
def test_the_future_does_not_touch_the_past(name):
    short = inflow_driven(np.arange(5.0), np.arange(1.0, 6), LIVES[name], "end")
    long = inflow_driven(np.arange(9.0), np.arange(1.0, 10), LIVES[name], "end")
    np.testing.assert_allclose(long.stock[:5], short.stock)
    np.testing.assert_allclose(long.outflow[:5], short.outflow)


@pytest.mark.parametrize("name", [name for name in LIVES if name != "fixed"])
@pytest.mark.parametrize("years", [np.arange(7.0), UNEVEN], ids=["even", "uneven"])
def test_who_enters_later_stands_longer(name, years):
    inflow = np.linspace(2, 5, 7)
    stocks = {entry: inflow_driven(years, inflow, LIVES[name], entry).stock for entry in ("start", "middle", "end", 6)}
    assert (stocks["start"] < stocks["middle"]).all()
    assert (stocks["middle"] < stocks["end"]).all()
    assert ((stocks["start"] < stocks[6]) & (stocks[6] < stocks["end"])).all()


@pytest.mark.parametrize("name", [name for name in LIVES if name != "fixed"])
def test_one_point_is_the_middle_and_many_points_are_the_integral(name):
    years, inflow = np.arange(8.0), np.linspace(1, 3, 8)
    one, middle = (inflow_driven(years, inflow, LIVES[name], entry).stock for entry in (1, "middle"))
    np.testing.assert_allclose(one, middle, rtol=1e-12)
    fine = (np.arange(4000) + 0.5) / 4000
    mean = np.array([survival(LIVES[name], age + 1 - fine).mean() for age in range(8)])
    np.testing.assert_allclose(survival_by_age(LIVES[name], 1.0, 8, 20)[:, 0], mean, atol=2e-6)


@pytest.mark.parametrize("points", [1, 2, 5, 12, 30])
def test_points_of_entry_are_symmetric_shares(points):
    moments, shares = entry_points(points)
    assert moments.size == points
    assert shares.sum() == pytest.approx(1.0)
    assert ((moments > 0) & (moments < 1)).all()
    np.testing.assert_allclose(moments, 1 - moments[::-1], atol=1e-14)
    for power in range(2 * points):  # exact for polynomials up to degree 2n - 1
        assert shares @ moments**power == pytest.approx(1 / (power + 1))


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("years", [np.arange(7.0), UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("entry", ["middle", "end", 4])
def test_the_stock_leads_back_to_inflow_and_outflow(name, years, entry):
    inflow = np.array([3.0, 0.0, 5.0, 1.0, 2.0, 8.0, 0.5])
    there = inflow_driven(years, inflow, LIVES[name], entry)
    back = stock_driven(years, there.stock, LIVES[name], entry)
    np.testing.assert_allclose(back.inflow, there.inflow, atol=1e-9)
    np.testing.assert_allclose(back.outflow, there.outflow, atol=1e-9)
    assert (back.shrink == 1).all()


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("entry", ["end", 5])
def test_cohorts_close_the_balance_one_by_one(name, entry):
    inflow = np.array([3.0, 0.0, 5.0, 1.0, 2.0, 8.0, 0.5])
    model = inflow_driven(UNEVEN, inflow, LIVES[name], entry)
    standing = stock_by_cohort(model, LIVES[name], entry)[:, :, 0]
    np.testing.assert_allclose(standing.sum(axis=1), model.stock, atol=1e-12)
    assert (standing[np.triu_indices(7, 1)] == 0).all()
    assert (np.diff(standing, axis=0)[np.tril_indices(6)] <= 1e-12).all()  # after its entry a cohort only falls
    entered = inflow * np.diff(period_bounds(UNEVEN))
    assert (standing <= entered + 1e-12).all()


def test_products_with_their_own_kind_of_numbers_side_by_side():
    life = Lifetime("normal", mean=np.array([5.0, 10.0, 20.0]), sd=2.0)
    together = inflow_driven(np.arange(25.0), np.ones((25, 3)), life, "middle")
    assert together.stock.shape == (25, 3)
    assert (np.diff(together.stock[-1]) > 0).all()
    for product, mean in enumerate((5.0, 10.0, 20.0)):
        alone = inflow_driven(np.arange(25.0), np.ones(25), Lifetime("normal", mean=mean, sd=2.0), "middle")
        np.testing.assert_allclose(together.stock[:, product], alone.stock)


def test_a_stock_torn_down_shrinks_all_cohorts_alike():
    """10, then 4: nothing enters, 4/10 of the old cohort stays and goes on dying by its own curve."""
    life = Lifetime("fixed", mean=50.0)
    model = stock_driven(np.arange(4.0), np.array([10.0, 4.0, 6.0, 6.0]), life, "end", never_negative=True)
    assert model.inflow.tolist() == [10.0, 0.0, 2.0, 0.0]
    assert model.outflow.tolist() == [0.0, 6.0, 0.0, 0.0]
    assert model.shrink.tolist() == [1.0, 0.4, 1.0, 1.0]
    free = stock_driven(np.arange(4.0), np.array([10.0, 4.0, 6.0, 6.0]), life, "end")
    assert free.inflow.tolist() == [10.0, -6.0, 2.0, 0.0]
    assert (free.shrink == 1).all()


@pytest.mark.parametrize(
    ("years", "bounds"),
    [
        ([2020.0], [2019.5, 2020.5]),
        ([2020.0, 2021], [2019.5, 2020.5, 2021.5]),
        ([2000.0, 2010], [1995, 2005, 2015]),
        ([2000.0, 2010, 2011], [1995, 2005, 2010.5, 2011.5]),
        ([0.0, 0.5, 1.0], [-0.25, 0.25, 0.75, 1.25]),
    ],
)
def test_bounds_of_periods_by_hand(years, bounds):
    assert period_bounds(np.array(years)).tolist() == bounds


def test_a_longer_period_brings_in_more():
    """Years 2000, 2010, 2011 with 1 per year: the periods last 10, 5.5 and 1 years, nothing dies."""
    model = inflow_driven(np.array([2000.0, 2010, 2011]), np.ones(3), Lifetime("fixed", mean=999.0), "end")
    assert model.stock.tolist() == [10.0, 15.5, 16.5]
    assert model.outflow.tolist() == [0.0, 0.0, 0.0]


def test_half_years_by_hand():
    model = inflow_driven(np.arange(0, 2, 0.5), np.full(4, 2.0), Lifetime("fixed", mean=1.0), "end")
    assert model.stock.tolist() == [1.0, 2.0, 2.0, 2.0]
    table = survival_table(Lifetime("fixed", mean=1.0), np.arange(0, 2, 0.5), "end")[:, :, 0]
    assert table.tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]


# --- messages ---
@pytest.mark.parametrize("kind", ["normal", "folded_normal", "log_normal"])
@pytest.mark.parametrize(
    ("mean", "sd", "parameter"),
    [
        (None, 1.0, "mean"),
        (5.0, None, "sd"),
        (0.0, 1.0, "mean"),
        (5.0, 0.0, "sd"),
        (-1.0, 1.0, "mean"),
        (5.0, np.inf, "sd"),
    ],
)
def test_a_wrong_parameter_is_named(kind, mean, sd, parameter):
    with pytest.raises(UserError) as caught:
        survival(Lifetime(kind, mean=mean, sd=sd), AGES)
    problem = caught.value.problems[0]
    assert problem.text.key == "metabolism.lifetime_positive"
    assert parameter in problem.render("en")
    assert kind in problem.render("en")


@pytest.mark.parametrize("entry", ["", "begin", "Start", -1, 0, 31, 2.5, True, None])
def test_moments_that_are_none(entry):
    with pytest.raises(UserError) as caught:
        inflow_driven(np.arange(3.0), np.ones(3), LIVES["fixed"], entry)
    assert [problem.text.key for problem in caught.value.problems] == ["metabolism.entry_unknown"]


@pytest.mark.parametrize(("years", "pair"), [([3.0, 2.0], ("3", "2")), ([1.0, 2, 2, 5], ("2", "2"))])
def test_years_that_do_not_rise_are_named(years, pair):
    with pytest.raises(UserError) as caught:
        stock_driven(np.array(years), np.ones(len(years)), LIVES["fixed"], "end")
    text = caught.value.problems[0].render("en")
    assert caught.value.problems[0].text.key == "metabolism.years_not_rising"
    assert all(year in text for year in pair)
