"""Formulas against the published depths, the hyetograph's mass and shape, and the capture ratio's own definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.infrastructure.drainage.storms import (
    capture_ratio,
    chicago_cumulative,
    chicago_depths,
    design_depth,
    formula_depth,
)
from cyclopolis.library.storm import StormLibrary, load_storm_library

DEPTHS = {
    "guiyang_a": (43.2, 53.1, 56.1),
    "guiyang_b": (45.5, 61.4, 61.5),
    "liupanshui_shuicheng": (38.7, 54.4, 47.4),
    "anshun": (48.3, 60.0, 59.3),
    "zunyi": (33.6, 42.2, 41.6),
    "changsha": (40.6, 49.7, 49.4),
    "shanghai": (45.8, 58.1, 60.2),
    "beijing_old": (44.6, 56.2, 56.9),
}
"""Rain of 60 minutes once in 2 and in 5 years, and of 120 minutes once in 2 years."""


@pytest.mark.parametrize("name", DEPTHS)
def test_depths_of_the_cities(name) -> None:
    row = load_storm_library().formulas.filter(formula=name).row(0, named=True)
    values = [row[key] for key in ("a_l_s_ha", "c", "b_min", "b_exponent", "n")]
    found = [formula_depth(*values, period, minutes) for period, minutes in ((2, 60), (5, 60), (2, 120))]
    assert found == pytest.approx(DEPTHS[name], abs=0.15)


def test_every_row_says_where_it_comes_from() -> None:
    library = load_storm_library()
    for name, columns in StormLibrary.columns().items():
        table = getattr(library, name)
        assert table.height, name
        assert table.columns == [column.name for column in columns]
        for column in columns:
            assert not column.required or table[column.name].null_count() == 0, (name, column.name)
        assert set(table["provenance"]) <= {"seen", "memory", "assumed"}
    assert set(library.formulas["provenance"]) == {"memory"}
    assert library.capture_depths["city"].n_unique() == 31
    assert library.capture_depths.filter(city_zh="贵阳", target_pct=75.0)["depth_mm"].item() == 21.9
    kinds = set(library.measures["measure"])
    assert kinds == set(library.measure_layers["measure"])
    assert len(kinds) == 8


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1, 300), st.integers(5, 1440), st.sampled_from([1.0, 5.0, 7.0, 60.0]), st.floats(0.1, 60),
    st.floats(0.3, 1.2), st.floats(0, 1),
)  # fmt: skip
def test_hyetograph_mass_is_exact(total, minutes, step, b, n, ratio) -> None:
    depths = chicago_depths(total, minutes, step, b, n, ratio)
    assert depths.sum() == pytest.approx(total, rel=1e-12)
    stretched = minutes / min(max(ratio, 1e-9), max(1 - ratio, 1e-9))
    if (1 - n) * stretched + b >= 0:
        assert (depths >= -1e-9 * total).all()
    coarse = chicago_depths(total, minutes, minutes, b, n, ratio)
    assert coarse.tolist() == pytest.approx([total])


def test_hyetograph_has_the_chicago_intensity() -> None:
    """Its derivative is the published intensity on both sides of the peak, and its worst window is the formula's."""
    minutes, b, n, r = 120.0, 17.0, 0.86, 0.4
    total = formula_depth(3920, 0.68, b, 0, n, 2, minutes)
    a = total * (minutes + b) ** n / minutes
    t = np.array([20.0, 40.0, 60.0, 100.0])
    slope = (
        chicago_cumulative(t + 1e-4, total, minutes, b, n, r) - chicago_cumulative(t - 1e-4, total, minutes, b, n, r)
    ) / 2e-4
    side = np.where(t < r * minutes, (r * minutes - t) / r, (t - r * minutes) / (1 - r))
    assert slope == pytest.approx(a * ((1 - n) * side + b) / (side + b) ** (1 + n), rel=1e-6)
    peak = r * minutes
    for window in (5.0, 20.0, 60.0):
        edges = np.array([peak - r * window, peak + (1 - r) * window])
        rain = np.diff(chicago_cumulative(edges, total, minutes, b, n, r))[0]
        assert rain == pytest.approx(formula_depth(3920, 0.68, b, 0, n, 2, window), rel=1e-9)


def test_capture_is_the_sum_written_in_the_code() -> None:
    rng = np.random.default_rng(3)
    days = rng.gamma(0.5, 14.0, 11000)
    kept = np.sort(days[days > 2.0])
    for i in (10, 500, kept.size - 1):
        written = (kept[: i + 1].sum() + kept[i] * (kept.size - i - 1)) / kept.sum()
        assert capture_ratio(days, kept[i]) == pytest.approx(written)
    for ratio in (0.6, 0.75, 0.85, 1.0):
        assert capture_ratio(days, design_depth(days, ratio)) == pytest.approx(ratio)
    assert np.isnan(capture_ratio(np.array([1.0]), 5.0))
    assert np.isnan(design_depth(np.array([1.0]), 0.5))
