"""Units as people write them, against factors worked out by hand or fixed by a standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.foundation.text import Message
from cyclopolis.library import load_library
from cyclopolis.plan.schema import columns, quantities, read_rows
from cyclopolis.plan.units import UnknownUnitError, factor, names, parse_unit

FACTORS = [
    ("万吨", "t/a", 1e4),
    ("万吨/年", "t/a", 1e4),
    ("10^4 t/a", "t/a", 1e4),
    ("10⁴t", "t/a", 1e4),
    ("kt", "t/a", 1e3),
    ("kg/d", "t/a", 0.365),
    ("t/h", "t/a", 8760.0),
    ("Mg", "t", 1.0),
    ("mg", "kg", 1e-6),
    ("亿元", "million CNY", 100.0),
    ("万元", "million CNY", 0.01),
    ("元/千瓦时", "CNY/(MWh)", 1e3),
    ("元/kg", "CNY/(t)", 1e3),
    ("元/t·km", "CNY/t/km", 1.0),
    ("kWh", "MWh/(t)", 1e-3),
    ("kWh/t", "MWh/(t)", 1e-3),
    ("kg/t", "t/(t)", 1e-3),
    ("亿千瓦时", "MWh/a", 1e5),
    ("MW", "MWh/a", 8760.0),
    ("Nm3", "kNm3/a", 1e-3),
    ("万Nm³/a", "kNm3/a", 10.0),
    ("万m³/d", "m3/a", 3.65e6),
    ("m^3", "m3", 1.0),
    ("tce", "GJ/a", 29.3076),
    ("万吨标准煤", "GJ/a", 293076.0),
    ("kcal", "GJ", 4.1868e-6),
    ("m2", "1000 m2/a", 1e-3),
    ("万件/年", "1000 pcs/a", 10.0),
    ("kt P2O5", "t P2O5/a", 1e3),
    ("亩", "ha", 1 / 15),
    ("万人", "1", 1e4),
    ("％", "1", 0.01),
    ("T/A", "t/a", 1.0),
]


@pytest.mark.parametrize(("unit", "target", "expected"), FACTORS)
def test_factor(unit: str, target: str, expected: float) -> None:
    assert factor(unit, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "target"),
    [("GJ", "t/a"), ("t", "t P2O5/a"), ("kNm3", "t/a"), ("Nm3", "m3/a"), ("m3", "t/a"), ("CNY", "t"), ("h", "km")],
)
def test_what_measures_something_else_is_refused_by_both_names(unit: str, target: str) -> None:
    said = factor(unit, target)
    assert isinstance(said, Message)
    assert said.key == "plan.unit_dimension"
    assert unit in said.render("en")
    assert target in said.render("zh")


@pytest.mark.parametrize("unit", ["tonns", "(t", "t)", "0 t", "9" * 70, "万", "kg^9x", "t/", "1e99 t/1e-99"])
def test_nonsense_is_refused(unit: str) -> None:
    if unit in ("万", "t/"):
        assert not isinstance(factor(unit, "1" if unit == "万" else "t"), Message)
    else:
        said = factor(unit, "t")
        assert isinstance(said, Message)
        assert said.key == "plan.unit_unknown"


def test_every_unit_of_the_library_and_the_schema_is_known() -> None:
    library = load_library()
    for unit in library.commodities["unit"].unique():
        assert factor(unit, f"{unit}/a") == 1.0
        parse_unit(unit)
    for quantity in quantities().values():
        parse_unit(quantity.unit)
    for described in columns().values():
        for column in described:
            if column.unit and "@" not in column.unit:
                parse_unit(column.unit)


def test_no_name_means_two_units() -> None:
    seen: dict[str, str] = {}
    for row in read_rows("units.csv"):
        for name in (row["unit"], *row["aliases"].split(";")):
            assert name == "" or seen.setdefault(name, row["unit"]) == row["unit"]
    assert set(seen.values()) == set(names().values())


@given(st.text(max_size=30))
def test_any_text_is_a_factor_or_a_message(text: str) -> None:
    said = factor(text, "t/a")
    assert isinstance(said, Message) or said > 0
    if not isinstance(said, Message):
        parse_unit(text)


@given(st.sampled_from(FACTORS))
def test_there_and_back(entry: tuple[str, str, float]) -> None:
    unit, target, _ = entry
    there, back = factor(unit, target), factor(target, unit)
    if isinstance(there, float) and isinstance(back, float):
        assert there * back == pytest.approx(1.0, rel=1e-12)


def test_unknown_unit_names_the_part() -> None:
    with pytest.raises(UnknownUnitError, match="foo"):
        parse_unit("t/foo")
