"""Every name of a unit against a factor written by hand, and the units of each kind of column."""

import pytest

from cyclopolis.foundation.text import Message
from cyclopolis.plan.schema import columns, quantities, read_rows
from cyclopolis.plan.units import UnknownUnitError, factor, parse_unit

DRAINAGE = ("catchments", "junctions", "outlets", "conduits", "storms", "capacities")
"""Tables of what runs on a day, not over a year: drains, and decay in a river."""
ORACLE: dict[str, dict[float, str]] = {
    "kg": {
        1e-9: "ug 微克 μg µg microgram micrograms",
        1e-6: "mg 毫克",
        1e-3: "g 克 gram grams",
        1.0: "kg 千克 公斤 kgs kilogram kilograms",
        1e3: "t 吨 公吨 ton tons tonne tonnes mt MT Mg tCO2 tCO2e 吨二氧化碳",
        1e6: "kt 千吨",
        1e9: "Mt 兆吨 megatonne megatonnes",
    },
    "m": {1e-3: "mm 毫米 millimetre millimeter", 1.0: "m 米 metre meter", 1e3: "km 公里 千米 kilometre kilometer"},
    "m2": {
        1.0: "m2 平方米 平米 sqm",
        2000 / 3: "mu 亩",
        1e4: "ha 公顷 hectare hectares",
        1e6: "km2 平方公里 平方千米 sqkm",
    },
    "m3": {1e-3: "L 升 litre liter litres liters", 1.0: "m3 立方米 立方 方 cbm"},
    "Nm3": {1.0: "Nm3 标立方米 标准立方米 标方 标立 Nm³", 1e3: "kNm3 千标方 千标立方米"},
    "J": {
        1.0: "J 焦 焦耳",
        1e3: "kJ 千焦",
        1e6: "MJ 兆焦",
        1e9: "GJ 吉焦 百万千焦",
        1e12: "TJ 太焦",
        1e15: "PJ 拍焦",
        3.6e6: "kWh 千瓦时 千瓦小时 度 度电",
        3.6e9: "MWh 兆瓦时 兆瓦小时 千度",
        3.6e12: "GWh 吉瓦时 吉瓦小时",
        3.6e15: "TWh 太瓦时",
        2.93076e7: "kgce 千克标准煤 千克标煤 公斤标煤",
        2.93076e10: "tce 吨标准煤 吨标煤 标准煤 标煤",
        4186.8: "kcal 千卡 大卡",
    },
    "s": {
        1.0: "s 秒 second seconds",
        60.0: "min 分钟 minute minutes",
        3600.0: "h 小时 时 hr hour hours",
        86400.0: "d 天 日 day days",
        2628000.0: "month 月 months",
        31536000.0: "a 年 yr year years annum y",
    },
    "kW": {1.0: "kW 千瓦", 1e3: "MW 兆瓦", 1e6: "GW 吉瓦"},
    "CNY": {1.0: "CNY 元 人民币 人民币元 RMB yuan ¥ ￥"},
    "1": {
        1e6: "million mln 百万",
        1e3: "thousand",
        1.0: "one 人 个岗位 岗位 persons people person jobs 无量纲",
        1e-2: "percent % 百分比 pct",
        1e-3: "permille ‰",
        1e-6: "ppm",
    },
    "pcs": {1.0: "pcs 个 件 块 只 台 套 片 枚 根 piece pieces pc brick bricks"},
    "deg": {1.0: "deg ° 度（角） degree degrees"},
    "K": {1.0: "K 开 开尔文 kelvin"},
    "degC": {1.0: "degC °C 摄氏度 摄氏"},
    "P2O5": {1.0: "P2O5"},
}
NAMES = [
    (name, base, value)
    for base, values in ORACLE.items()
    for value, written in values.items()
    for name in written.split()
]


def value_of(unit: str, target: str) -> float:
    found = factor(unit, target)
    assert isinstance(found, float), found
    return found


@pytest.mark.parametrize(("name", "base", "value"), NAMES, ids=[entry[0] for entry in NAMES])
def test_each_name_means_its_factor(name: str, base: str, value: float) -> None:
    assert value_of(name, base) == pytest.approx(value, rel=1e-12)
    assert value_of(base, name) == pytest.approx(1 / value, rel=1e-12)


def test_the_oracle_has_every_name_of_the_data() -> None:
    written = {
        name.strip()
        for row in read_rows("units.csv")
        for name in (row["unit"], *row["aliases"].split(";"))
        if name.strip()
    }
    assert written == {name for name, _, _ in NAMES}


@pytest.mark.parametrize("one", ORACLE)
@pytest.mark.parametrize("two", ORACLE)
def test_kinds_of_units_convert_only_to_themselves(one: str, two: str) -> None:
    """A cubic metre is no normal cubic metre, a piece no pure number, a power no energy."""
    found = factor(one, two)
    assert isinstance(found, Message) == (one != two)
    if isinstance(found, Message):
        assert found.key == "plan.unit_dimension"


@pytest.mark.parametrize(("multiplier", "value"), [
    ("十", 10.0), ("百", 1e2), ("千", 1e3), ("万", 1e4), ("十万", 1e5), ("百万", 1e6), ("千万", 1e7), ("亿", 1e8),
    ("1e4", 1e4), ("10^4 ", 1e4), ("10⁴ ", 1e4), ("×10^4 ", 1e4), ("x10**4 ", 1e4), ("1000 ", 1e3), ("百亿", 1e10),
    ("million ", 1e6), ("thousand ", 1e3), ("０．５", 0.5),
])  # fmt: skip
@pytest.mark.parametrize(("unit", "base", "one"), [("t", "kg", 1e3), ("kWh", "MWh", 1e-3), ("元", "CNY", 1.0)])
def test_multipliers_before_any_unit(multiplier: str, value: float, unit: str, base: str, one: float) -> None:
    assert value_of(multiplier + unit, base) == pytest.approx(value * one, rel=1e-12)


@pytest.mark.parametrize(("unit", "target", "value"), [
    ("万m3/d", "m3/a", 3.65e6),
    ("万立方米/日", "m3/a", 3.65e6),
    ("m3/h", "m3/a", 8760.0),
    ("L/s", "m3/a", 31536.0),
    ("亿m3", "m3/a", 1e8),
    ("MW", "MWh/a", 8760.0),
    ("万kW", "MWh/a", 8.76e4),
    ("GW", "MWh/a", 8.76e6),
    ("亿kWh/年", "MWh/a", 1e5),
    ("度/月", "MWh/a", 0.012),
    ("万tce/a", "GJ/a", 293076.0),
    ("TJ/a", "GJ/a", 1e3),
    ("kgce/t", "GJ/(t)", 0.0293076),
    ("kcal/kg", "GJ/(t)", 4.1868e-3),
    ("MJ/Nm3", "GJ/(kNm3)", 1.0),
    ("万Nm3/d", "kNm3/a", 3650.0),
    ("元/Nm3", "CNY/(kNm3)", 1e3),
    ("元/度", "CNY/(MWh)", 1e3),
    ("分钟", "h", 1 / 60),
    ("元/千标方", "CNY/(kNm3)", 1.0),
    ("亿元", "million CNY", 100.0),
    ("千元", "million CNY", 1e-3),
    ("万元/吨", "CNY/(t)", 1e4),
    ("元/t/km", "CNY/t/km", 1.0),
    ("元/(t·km)", "CNY/t/km", 1.0),
    ("元每吨公里", "CNY/t/km", None),
    ("元每吨每公里", "CNY/t/km", 1.0),
    ("g/kWh", "t/(MWh)", 1e-3),
    ("mg/Nm3", "t/(kNm3)", 1e-6),
    ("kg/块", "t/(pcs)", 1e-3),
    ("万块", "1000 pcs", 10.0),
    ("万亩", "ha", 1e4 / 15),
    ("平方公里", "ha", 100.0),
    ("万人", "1", 1e4),
    ("％", "1", 0.01),
    ("‰", "%", 0.1),
    ("t/a", "t", None),
    ("kW", "MWh", None),
    ("t CO2", "t/a", None),
])  # fmt: skip
def test_units_as_statistics_write_them(unit: str, target: str, value: float | None) -> None:
    if value is None:
        assert isinstance(factor(unit, target), Message)
    else:
        assert value_of(unit, target) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("text", "scale", "parts"), [
    ("", 1.0, ()),
    ("t", 1.0, (("t", 1),)),
    ("t/t", 1.0, ()),
    ("m*m", 1.0, (("m", 2),)),
    ("t/(a*ha)", 1.0, (("a", -1), ("ha", -1), ("t", 1))),
    ("t/(a/ha)", 1.0, (("a", -1), ("ha", 1), ("t", 1))),
    ("(t)/a", 1.0, (("a", -1), ("t", 1))),
    ("t/a ha", 1.0, (("a", -1), ("ha", -1), ("t", 1))),
    ("2 t/4 a", 0.5, (("a", -1), ("t", 1))),
    ("t·km", 1.0, (("km", 1), ("t", 1))),
    ("T/A", 1.0, (("a", -1), ("t", 1))),
    ("ｋＷｈ", 1.0, (("kWh", 1),)),
    ("m²", 1.0, (("m2", 1),)),
    ("m^3", 1.0, (("m3", 1),)),
])  # fmt: skip
def test_a_text_is_taken_apart(text: str, scale: float, parts: tuple[tuple[str, int], ...]) -> None:
    assert parse_unit(text) == (scale, parts)


@pytest.mark.parametrize(("text", "part"), [
    ("t/foo", "foo"), ("万foo", "foo"), ("3 foo", "foo"), ("(t", "(t"), ("t)", "t)"), ("0 t", "0 t"), ("MG", "MG"),
    ("t^2", "t2"), ("10^-3 t", "-3"), ("1,000", ",000"), ("m*m*m*m*m*m*m", "m*m*m*m*m*m*m"),
])  # fmt: skip
def test_what_is_not_understood_is_named(text: str, part: str) -> None:
    with pytest.raises(UnknownUnitError) as caught:
        parse_unit(text)
    assert caught.value.args[0] == part
    said = factor(text, "t")
    assert isinstance(said, Message)
    assert (said.key, said.values["part"]) == ("plan.unit_unknown", part)


def test_case_is_forgiven_only_where_one_unit_has_the_name() -> None:
    assert value_of("KWH", "kWh") == value_of("kwh", "kWh") == 1.0
    assert value_of("GJ", "gj") == 1.0
    assert value_of("Mg", "mg") == pytest.approx(1e9)
    assert value_of("Mt", "mt") == pytest.approx(1e6)
    assert isinstance(factor("MG", "t"), Message)


@pytest.mark.parametrize("unit", sorted({quantity.unit for quantity in quantities().values()}))
def test_a_quantity_takes_its_unit_without_the_year_and_nothing_else(unit: str) -> None:
    assert value_of(unit, unit) == 1.0
    if unit.endswith("/a"):
        amount = unit.removesuffix("/a")
        assert value_of(amount, unit) == 1.0
        assert value_of(f"{amount}/d", unit) == pytest.approx(365.0)
        assert value_of(f"万{amount}/月", unit) == pytest.approx(120000.0)
    assert isinstance(factor("deg", unit), Message)


def test_plain_units_of_the_schema_are_known_and_no_column_counts_per_day() -> None:
    plain = {entry.unit for described in columns().values() for entry in described if "@" not in entry.unit} - {""}
    assert {"million CNY", "km2", "ha", "%", "1", "deg", "a", "km"} <= plain
    yearly = {entry.unit for table, described in columns().items() for entry in described if table not in DRAINAGE}
    for unit in yearly & plain:
        assert "d" not in dict(parse_unit(unit)[1]), unit
