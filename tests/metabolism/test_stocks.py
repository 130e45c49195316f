"""Cohort stocks: the numbers of the ODYM and flodym test suites, and what must hold for every model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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

TEN = np.arange(10.0)
RISING = np.arange(1.0, 11.0)
NORMAL = Lifetime("normal", mean=5.0, sd=1.5)
D2_STOCK = [
    *(0.99957094, 2.9953115, 5.96830193, 9.85008113, 14.4793678),
    *(19.60865447, 24.99043368, 30.46342411, 35.95916467, 41.45873561),
]
D2_OUTFLOW = [
    *(0.00042906, 0.00425944, 0.02700957, 0.11822079, 0.37071333),
    *(0.87071333, 1.61822079, 2.52700957, 3.50425944, 4.50042906),
]
D2_COHORT = [
    *(0.99957094, 0.996169619, 0.977249868, 0.90878878, 0.747507462),
    *(0.5, 0.252492538, 0.0912112197, 0.0227501319, 0.00383038057),
]
D4_INFLOW = np.append([1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 5, 6, 7, 1, 2, 4, 5, 6, 7, 3], np.zeros(41))
D6_STOCK = np.array([0, 0, 1, 2, 3, 5, 6, 8, 8, 6, 6, 6, 6, 6, 8, 8, 8, 9, 10, 12] + [9] * 10, dtype=float)
D6_FREE = [
    *(0, 0, 1.003845108798, 1.009876170898, 1.022946871294, 2.052181974193, 1.098597211758, 2.178632487261),
    *(0.286458938377, -1.578380351160, 0.582307173103, 0.736868807283, 0.860981844609, 0.930317247258),
    *(2.940380920226, 0.886805655035, 0.807732128879, 1.742619782680, 1.722847356010, 2.770808172213),
    *(-2.139968619540, 0.992701495309, 1.118058099656, 1.211591711403, 1.256322506739, 1.248773108954),
    *(1.197964611415, 1.122904133751, 1.047910488113, 0.995211004792),
]
D6_HELD = [
    *(0, 0, 1.003845108798, 1.009876170898, 1.022946871294, 2.052181974193, 1.098597211758, 2.178632487261),
    *(0.286458938377, 0, 0.468909567775, 0.600148064601, 0.713838040246, 0.792247467749, 2.832866490885),
    *(0.826227009375, 0.798684678138, 1.775290769026, 1.776531605001, 2.822224969998, 0, 0.820993268926),
    *(0.918300996718, 1.007417665417, 1.076751857994, 1.119633273701, 1.134233884698, 1.123750382153),
    *(1.096483322433, 1.064262457377),
]


def test_d1_fixed_lifetime():
    model = inflow_driven(TEN, RISING, Lifetime("fixed", mean=5.0), "end")
    np.testing.assert_array_equal(model.stock, [1, 3, 6, 10, 15, 20, 25, 30, 35, 40])
    np.testing.assert_array_equal(model.outflow, [0, 0, 0, 0, 0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(stock_driven(TEN, model.stock, Lifetime("fixed", mean=5.0), "end").inflow, RISING)


def test_d1_fixed_lifetime_of_zero():
    model = inflow_driven(TEN, RISING, Lifetime("fixed", mean=0.0), "end")
    np.testing.assert_array_equal(model.outflow, RISING)
    np.testing.assert_array_equal(model.stock, 0)


def test_d2_normal_lifetime():
    model = inflow_driven(TEN, RISING, NORMAL, "end")
    np.testing.assert_allclose(model.stock, D2_STOCK, atol=6e-9)
    np.testing.assert_allclose(model.outflow, D2_OUTFLOW, atol=6e-9)
    cohorts = stock_by_cohort(model, NORMAL, "end")[:, :, 0]
    np.testing.assert_allclose(cohorts[:, 0], D2_COHORT, atol=6e-10)


def test_d3_stock_driven_returns_the_inflow():
    model = inflow_driven(TEN, RISING, NORMAL, "end")
    back = stock_driven(TEN, model.stock, NORMAL, "end")
    np.testing.assert_allclose(back.inflow, RISING, atol=1e-8)
    np.testing.assert_allclose(back.outflow, model.outflow, atol=1e-8)


@pytest.mark.parametrize(
    ("kind", "stock"), [("log_normal", 5.8693165260386), ("folded_normal", 6.50049047900083)], ids=["d4", "d5"]
)
def test_d4_d5_long_tails(kind, stock):
    model = inflow_driven(np.arange(61.0), D4_INFLOW, Lifetime(kind, mean=20.0, sd=20.0), "end")
    assert model.stock[-1] == pytest.approx(stock, abs=1e-12)


@pytest.mark.parametrize(("held", "inflow"), [(False, D6_FREE), (True, D6_HELD)])
def test_d6_shrinking_stock(held, inflow):
    life, years = Lifetime("normal", mean=8.0, sd=3.0), np.arange(30.0)
    model = stock_driven(years, D6_STOCK, life, "end", never_negative=held)
    np.testing.assert_allclose(model.inflow, inflow, atol=6e-13)
    np.testing.assert_allclose(model.stock, D6_STOCK)
    np.testing.assert_allclose(stock_by_cohort(model, life, "end").sum(axis=(1, 2)), D6_STOCK, atol=1e-12)
    assert set(np.flatnonzero(model.shrink < 1)) == ({9, 20} if held else set())


@pytest.mark.parametrize(("entry", "stock"), [("start", 29.5), ("middle", 30.0), ("end", 30.5), (2, 30.0), (6, 30.0)])
def test_d8_entry_moment(entry, stock):
    life = Lifetime("log_normal", mean=30.0, sd=10.0)
    assert inflow_driven(np.arange(201.0), np.ones(201), life, entry).stock[-1] == pytest.approx(stock, abs=0.01)


@pytest.mark.parametrize(("entry", "close"), [("start", False), ("middle", False), ("end", False), (6, True)])
def test_d8_only_many_points_serve_short_lifetimes(entry, close):
    life = Lifetime("log_normal", mean=0.3, sd=0.1)
    stock = inflow_driven(np.arange(201.0), np.ones(201), life, entry).stock[-1]
    assert (abs(stock - 0.3) < 0.01) == close


def test_d9_round_trip():
    inflow, life = np.exp(-(np.linspace(-2, 2, 201) ** 2)), Lifetime("log_normal", mean=60.0, sd=25.0)
    years = np.arange(1900, 2101)
    back = stock_driven(years, inflow_driven(years, inflow, life, "middle").stock, life, "middle")
    np.testing.assert_allclose(back.inflow, inflow, rtol=1e-9)


def test_d10_uneven_years():
    every, life = np.arange(1900, 2101), Lifetime("log_normal", mean=5.0, sd=2.0)
    some = every[(every % 7 == 0) | (every % 13 == 0)]
    whole = inflow_driven(every, np.ones(every.size), life, 6).stock[np.isin(every, some)]
    part = inflow_driven(some, np.ones(some.size), life, 6).stock
    np.testing.assert_allclose(whole[-10:], part[-10:], atol=0.01)


LIVES = st.sampled_from(
    [
        Lifetime("fixed", mean=4.0),
        Lifetime("normal", mean=6.0, sd=2.0),
        Lifetime("folded_normal", mean=6.0, sd=5.0),
        Lifetime("log_normal", mean=9.0, sd=4.0),
        Lifetime("weibull", shape=2.5, scale=7.0),
    ]
)
ENTRIES = st.sampled_from(["start", "middle", "end", 1, 2, 6])


@st.composite
def histories(draw):
    """Draw years (even or not) and inflows of two products."""
    gaps = draw(st.lists(st.integers(1, 4), min_size=1, max_size=12))
    years = np.cumsum([2000, *(gaps if draw(st.booleans()) else [1] * len(gaps))]).astype(float)
    seed = draw(st.integers(0, 2**32 - 1))
    return years, np.random.default_rng(seed).uniform(0, 10, (years.size, 2))


@settings(max_examples=80, deadline=None)
@given(histories(), LIVES, ENTRIES)
def test_mass_closes_and_nothing_is_negative(history, life, entry):
    years, inflow = history
    model = inflow_driven(years, inflow, life, entry)
    length = np.diff(period_bounds(years))[:, None]
    change = np.diff(model.stock, axis=0, prepend=0)
    np.testing.assert_allclose((model.inflow - model.outflow) * length, change, atol=1e-9)
    assert (model.stock >= 0).all()
    assert (model.outflow >= -1e-9).all()
    np.testing.assert_allclose(stock_by_cohort(model, life, entry).sum(axis=1), model.stock, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(histories(), LIVES.filter(lambda life: life.kind != "fixed"), st.sampled_from(["middle", "end", 6]))
def test_the_stock_leads_back_to_the_inflow(history, life, entry):
    years, inflow = history
    stock = inflow_driven(years, inflow, life, entry).stock
    np.testing.assert_allclose(stock_driven(years, stock, life, entry).inflow, inflow, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(histories(), LIVES)
def test_held_inflow_is_never_negative_and_holds_the_stock(history, life):
    years, stock = history
    model = stock_driven(years, stock, life, "end", never_negative=True)
    assert (model.inflow >= 0).all()
    assert (model.outflow >= -1e-9).all()
    np.testing.assert_allclose(stock_by_cohort(model, life, "end").sum(axis=1), stock, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(histories(), LIVES, ENTRIES)
def test_the_even_and_the_uneven_kernel_agree(history, life, entry):
    """One lifetime per cohort, all equal, takes the general way; the result is that of the convolution."""
    inflow = history[1]
    years = np.arange(float(inflow.shape[0]))
    wide = {
        name: np.full(inflow.shape, value)
        for name in ("mean", "sd", "shape", "scale")
        if (value := getattr(life, name)) is not None
    }
    general = Lifetime(life.kind, **wide)
    plain = inflow_driven(years, inflow, life, entry)
    np.testing.assert_allclose(inflow_driven(years, inflow, general, entry).stock, plain.stock, atol=1e-9)


@pytest.mark.parametrize(
    ("life", "peer"),
    [
        (Lifetime("normal", mean=6.0, sd=2.0), norm(6, 2)),
        (Lifetime("folded_normal", mean=6.0, sd=5.0), foldnorm(6 / 5, scale=5)),
        (Lifetime("weibull", shape=2.5, scale=7.0), weibull_min(2.5, scale=7)),
        (
            Lifetime("log_normal", mean=9.0, sd=4.0),
            lognorm(np.sqrt(np.log1p(16 / 81)), scale=81 / np.sqrt(81 + 16)),
        ),
    ],
)
def test_survival_agrees_with_scipy(life, peer):
    ages = np.array([0.0, 0.1, 1, 3, 7, 20, 60])
    np.testing.assert_allclose(survival(life, ages), peer.sf(ages), rtol=1e-9, atol=1e-14)


def test_log_normal_mean_is_the_mean_of_the_lifetime():
    ages = np.linspace(0, 400, 400_001)
    assert np.trapezoid(survival(Lifetime("log_normal", mean=9.0, sd=4.0), ages), ages) == pytest.approx(9, abs=1e-6)


def test_products_do_not_touch_each_other():
    inflow = np.random.default_rng(1).uniform(1, 2, (30, 3))
    mean, years = np.array([5.0, 9.0, 20.0]), np.arange(30.0)
    together = inflow_driven(years, inflow, Lifetime("normal", mean=mean, sd=mean / 4), "middle")
    for product in range(3):
        alone = Lifetime("normal", mean=mean[product], sd=mean[product] / 4)
        np.testing.assert_allclose(
            together.stock[:, product], inflow_driven(years, inflow[:, product], alone, "middle").stock, rtol=1e-12
        )


def test_longer_lives_of_new_cohorts_only():
    mean = np.where(np.arange(20.0) < 10, 5.0, 50.0)[:, None]
    life = Lifetime("fixed", mean=mean)
    table = survival_table(life, np.arange(20.0), "end")[:, :, 0]
    assert table[:, 9].sum() == 5
    assert table[:, 10].sum() == 10


def test_one_year_alone():
    model = inflow_driven(np.array([2020.0]), np.array([3.0]), Lifetime("fixed", mean=2.0), "end")
    assert (model.stock[0], model.outflow[0]) == (3.0, 0.0)


def test_survival_by_age_of_several_products():
    shares = survival_by_age(Lifetime("fixed", mean=np.array([1.0, 3.0])), 1.0, 4, "end")
    np.testing.assert_array_equal(shares, [[1, 1], [0, 1], [0, 1], [0, 0]])


@pytest.mark.parametrize(
    ("work", "key"),
    [
        (lambda: survival(Lifetime("gamma", mean=1.0), TEN), "lifetime_unknown"),
        (lambda: survival(Lifetime("normal", mean=5.0), TEN), "lifetime_positive"),
        (lambda: survival(Lifetime("normal", mean=-5.0, sd=1.0), TEN), "lifetime_positive"),
        (lambda: survival(Lifetime("weibull", shape=0.0, scale=1.0), TEN), "lifetime_positive"),
        (lambda: survival(Lifetime("fixed", mean=np.nan), TEN), "lifetime_positive"),
        (lambda: entry_points("noon"), "entry_unknown"),
        (lambda: entry_points(0), "entry_unknown"),
        (lambda: period_bounds(np.array([2000.0, 2001, 2001])), "years_not_rising"),
        (lambda: inflow_driven(TEN, np.ones(9), NORMAL, "end"), "stock_shape"),
        (lambda: stock_driven(TEN, np.ones(10), Lifetime("fixed", mean=0.0), "end"), "stock_no_survivor"),
    ],
)
def test_bad_input_is_refused(work, key):
    with pytest.raises(UserError) as caught:
        work()
    fault = caught.value.problems[0]
    assert fault.text.key == f"metabolism.{key}"
    assert fault.render("en") != fault.render("zh")
