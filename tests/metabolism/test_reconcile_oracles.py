"""Published and independently computed reconciliations, to the printed digits."""

import numpy as np
import pytest
import scipy.sparse as sp

from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, covariance, gross_errors, reconcile

NAN = np.nan
HALF = 1.96


def rows(names, *sums):
    """Return linear relations given as mappings of name to coefficient."""
    matrix = sp.lil_matrix((len(sums), len(names)))
    for row, terms in enumerate(sums):
        for name, coefficient in terms.items():
            matrix[row, names.index(name)] = coefficient
    return sp.csr_matrix(matrix)


def digits(found, printed, count):
    """Say whether a number rounds to the printed one."""
    return abs(found - printed) <= 0.5000001 * 10.0**-count


# --- R1: Cencic (2016), Sustain. Environ. Res. 26, 291-298, as reproduced in a public re-implementation

CENCIC = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "TC"]


def cencic(**changes):
    values = np.array([100, 50, 300, NAN, 160, NAN, NAN, 0.5])
    sds = np.array([10, 0, 30, NAN, 16, NAN, NAN, 0.05])
    linear = rows(
        CENCIC,
        {"m1": 1, "m2": 1, "m4": 1, "m3": -1},
        {"m3": 1, "m4": -1, "m5": -1},
        {"m5": 1, "m6": -1, "m7": -1},
    )
    return ReconcileProblem(values, sds, linear, None, np.array([[3, 7, 2]]), names=CENCIC, **changes)


def test_cencic_values_uncertainties_and_classes():
    found = reconcile(cencic())
    printed = {
        "m1": (102.42595966, 7.88279241, "reconciled"),
        "m2": (50, 0, "constant"),
        "m3": (302.41622938, 22.60861434, "reconciled"),
        "m4": (149.99026973, 21.21329693, "observable"),
        "m5": (152.42595966, 7.88279241, "reconciled"),
        "TC": (0.49597295, 0.03768102, "reconciled"),
    }
    for name, (value, sd, kind) in printed.items():
        index = CENCIC.index(name)
        assert digits(found.values[index], value, 8), name
        assert digits(found.sds[index], sd, 8), name
        assert found.kinds[index] == kind
    assert digits(found.chi_square, 0.2959127791, 10)
    assert found.dof == 2


def test_cencic_tail_is_reported_not_invented():
    found = reconcile(cencic())
    assert [found.kinds[5], found.kinds[6]] == ["unobservable", "unobservable"]
    assert np.isnan(found.values[5:7]).all()
    assert np.isnan(found.sds[5:7]).all()
    assert found.missing.size == 1
    assert [group.tolist() for group in found.twins] == [[5, 6]]


def test_cencic_correlations():
    problem = cencic()
    joint = covariance(problem, reconcile(problem), np.arange(8))
    size = np.sqrt(np.diag(joint))
    printed = {
        ("m1", "m3"): 0.34587749,
        ("m1", "m5"): 1.0,
        ("m1", "TC"): -0.34587749,
        ("m3", "TC"): 0.76073752,
        ("m1", "m4"): -0.00296896,
        ("m3", "m4"): 0.93724865,
        ("m4", "TC"): 0.93930244,
    }
    for (first, second), value in printed.items():
        i, j = CENCIC.index(first), CENCIC.index(second)
        assert digits(joint[i, j] / size[i] / size[j], value, 8), (first, second)
    assert np.isnan(joint[5]).all()


def test_cencic_converges_within_six_steps():
    report = reconcile(cencic()).convergence
    assert report.converged
    assert len(report.steps) <= 6
    assert report.residual < 1e-12
    assert list(report.steps) == sorted(report.steps, reverse=True)


def test_cencic_with_an_exact_split_determines_the_tail():
    """R1b: m6 = 1 x m7."""
    base = cencic()
    linear = sp.csr_matrix(sp.hstack([base.linear, sp.csr_matrix((3, 1))]))
    problem = ReconcileProblem(
        np.append(base.values, 1.0), np.append(base.sds, 0.0), linear, None, np.array([[3, 7, 2], [5, 8, 6]])
    )
    found, before = reconcile(problem), reconcile(base)
    for index in (5, 6):
        assert digits(found.values[index], 76.212980, 6)
        assert digits(found.sds[index], 3.941396, 6)
    np.testing.assert_allclose(found.values[:5], before.values[:5], rtol=1e-12)
    np.testing.assert_allclose(linear @ np.where(np.isnan(found.values), 0, found.values), 0, atol=1e-12)


# --- R2: VDI 2048 sheet 1, steam circuit; expected values computed independently two ways

VDI = ["mFDKEL", "mFDKELL", "mSPL", "mSPLL", "mV", "mHK", "mA7", "mA6", "mA5", "mHDNK", "mD"]
READ = np.array([46.241, 45.668, 44.575, 44.319, 0.525, 69.978, 10.364, 3.744, 4.391, 18.498, 2.092])
RAW = np.array([0.800, 0.790, 0.535, 0.532, 0.105, 0.854, 0.168, 0.058, 0.058, 0.205, 0.272])
STEAM = rows(
    VDI,
    {"mFDKEL": 1, "mFDKELL": 1, "mSPL": -1, "mSPLL": -1, "mV": 0.4},
    {"mSPL": 1, "mSPLL": 1, "mV": -1, "mHK": -1, "mA7": -1, "mA6": -1, "mA5": -1},
    {"mA7": 1, "mA6": 1, "mA5": 1, "mHDNK": -1},
)
RAW_ANSWER = [
    (44.964441, 0.575617, 4.5035),
    (44.417925, 0.572809, 4.5035),
    (44.925857, 0.404536, 1.9642),
    (44.667049, 0.402993, 1.9642),
    (0.526346, 0.104623, 0.2969),
    (70.552970, 0.559838, 1.7475),
    (10.375781, 0.133003, 0.2250),
    (3.745404, 0.056695, 0.2250),
    (4.392404, 0.056695, 0.2250),
    (18.513589, 0.137102, 0.2005),
]
WIDE_ANSWER = [
    (44.691790, 1.789915, 1.7398),
    (44.118790, 1.789915, 1.7398),
    (44.638483, 0.471702, 0.4929),
    (44.381774, 0.469808, 0.4929),
    (0.524194, 0.104563, 0.1651),
    (69.997019, 0.566796, 0.0584),
    (10.364035, 0.133016, 0.0007),
    (3.744004, 0.056696, 0.0007),
    (4.391004, 0.056696, 0.0007),
    (18.499044, 0.137122, 0.0134),
]
PAIRS = ((2, 3, 0.39951), (0, 1, 0.20))


def steam(half_widths, correlations=()):
    return ReconcileProblem(READ, half_widths / HALF, STEAM, None, None, correlations, names=VDI)


@pytest.mark.parametrize(
    ("problem", "answer", "squares", "accepted"),
    [
        (steam(RAW, PAIRS), RAW_ANSWER, 20.310413, False),
        (steam(np.concatenate([[2.5, 2.5], RAW[2:]])), WIDE_ANSWER, 3.060222, True),
    ],
    ids=["raw", "enlarged"],
)
def test_steam_circuit(problem, answer, squares, accepted):
    found = reconcile(problem)
    for index, (value, half, local) in enumerate(answer):
        assert digits(found.values[index], value, 6), VDI[index]
        assert digits(found.sds[index] * HALF, half, 6), VDI[index]
        assert abs(found.local_tests[index] - local) < 6e-5, VDI[index]
    assert digits(found.chi_square, squares, 6)
    assert found.dof == 3
    assert (found.p_value > 0.05) == accepted
    assert (found.chi_square < 7.814728) == accepted


def test_steam_circuit_leaves_the_flow_without_balance_alone():
    found = reconcile(steam(RAW, PAIRS))
    assert found.kinds[10] == "measured"
    assert found.values[10] == READ[10]
    assert found.sds[10] == pytest.approx(RAW[10] / HALF, rel=1e-15)
    assert np.isnan(found.local_tests[10])


def test_steam_circuit_points_at_the_feed_water_pair():
    problem = steam(RAW, PAIRS)
    suspects = gross_errors(problem, reconcile(problem), 3)
    assert {suspects[0].index, suspects[1].index} == {0, 1}
    assert reconcile(problem).p_value < 0.05
    assert suspects[0].p_value > 0.9
    assert suspects[0].chi_square < 0.1
    assert suspects[2].chi_square > 7
    assert {0, 1} & set(suspects[0].changed.tolist())


# --- R3: binary column (bilinear), inputs from a course text, values computed two ways


def column():
    names = ["F1", "F2", "F3"] + [f"{kind}{stream}{part}" for kind in "xn" for stream in "123" for part in "12"]
    values = np.full(15, NAN)
    sds = np.full(15, NAN)
    values[:9] = [1095.475, 478.402, 488.232, 0.4822, 0.5170, 0.9410, 0.0501, 0.0197, 0.9748]
    sds[:9] = [4.8, 3.9, 4.4, 0.0048, 0.0052, 0.0094, 0.0005, 0.0002, 0.0097]
    linear = rows(names, {"n11": 1, "n21": -1, "n31": -1}, {"n12": 1, "n22": -1, "n32": -1})
    products = [
        [names.index(f"n{stream}{part}"), names.index(f"x{stream}{part}"), names.index(f"F{stream}")]
        for stream in "123"
        for part in "12"
    ]
    return ReconcileProblem(values, sds, linear, None, np.array(products), names=names)


def test_column_is_found_and_rejected():
    found = reconcile(column())
    printed = [1076.94873, 493.05011, 503.27790, 0.458819, 0.495136, 0.982052, 0.050193, 0.019719, 1.010353]
    for value, expected, count in zip(found.values, printed, [5] * 3 + [6] * 6, strict=False):
        assert digits(value, expected, count)
    assert digits(found.chi_square, 114.652528, 6)
    assert found.p_value < 1e-20
    assert found.convergence.converged


def test_column_with_mole_fractions_capped_at_one_stays_below_one():
    base = column()
    upper = np.full(15, np.inf)
    upper[3:9] = 1.0
    found = reconcile(ReconcileProblem(base.values, base.sds, base.linear, None, base.products, upper=upper))
    assert found.values[8] == pytest.approx(1.0, abs=1e-9)
    assert found.at_bound[8]
    assert found.approximate
    assert found.chi_square > 114.652528
    assert found.convergence.converged


# --- R4: minimal cases


@pytest.mark.parametrize(
    ("values", "sds", "expected", "deviation"),
    [
        ((100, 110), (10, 10), 105, 7.0710678),
        ((100, 110), (0, 11), 100, 0),
        ((100, 110), (5, 10), 102, 4.4721360),
        ((1000, 110), (10, 10), 555, 7.0710678),
    ],
)
def test_two_flows_through_one_process(values, sds, expected, deviation):
    found = reconcile(ReconcileProblem(np.array(values, float), np.array(sds, float), sp.csr_matrix([[1.0, -1.0]])))
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)
    np.testing.assert_allclose(found.sds, deviation, atol=6e-8)


def test_an_unlimited_gross_error_is_rejected():
    found = reconcile(ReconcileProblem(np.array([1000.0, 110.0]), np.array([10.0, 10.0]), sp.csr_matrix([[1.0, -1.0]])))
    assert digits(found.local_tests[0], 62.9, 1)
    assert found.p_value < 1e-100


def test_splitter():
    half = np.array([1.96, 1.91, 1.91])
    found = reconcile(ReconcileProblem(np.array([2.1, 1.05, 0.97]), half / HALF, sp.csr_matrix([[1.0, -1.0, -1.0]])))
    for value, printed in zip(found.values, (2.072406759, 1.076203380, 0.996203380), strict=True):
        assert digits(value, printed, 8)
    for value, printed in zip(found.sds * HALF, (1.586370879, 1.566267264, 1.566267264), strict=True):
        assert digits(value, printed, 9)
    assert digits(found.chi_square, 0.00220746, 8)


@pytest.mark.parametrize(("year", "b", "d"), [(1990, 15.4545454545, 5.4545454545), (2010, 510.0, 480.0)])
def test_exact_recycling_loop(year, b, d):
    """All exact: a = D enters, b = a + d leaves the first process, d = alpha b returns, c = b - d goes out."""
    demand, alpha = year - 1980, (2 + year - 1980) / 34
    names = ["a", "b", "c", "d", "alpha"]
    problem = ReconcileProblem(
        np.array([demand, NAN, NAN, NAN, alpha]),
        np.array([0, NAN, NAN, NAN, 0]),
        rows(names, {"a": 1, "d": 1, "b": -1}, {"b": 1, "c": -1, "d": -1}),
        None,
        np.array([[3, 4, 1]]),
        names=names,
    )
    found = reconcile(problem)
    assert found.values[1] == pytest.approx(b, rel=1e-10)
    assert found.values[3] == pytest.approx(d, rel=1e-10)
    assert found.values[2] == pytest.approx(demand, rel=1e-12)
    assert found.kinds == ("constant", "observable", "observable", "observable", "constant")
    np.testing.assert_array_equal(found.sds, 0)
    assert found.dof == 0
    assert np.isnan(found.p_value)
