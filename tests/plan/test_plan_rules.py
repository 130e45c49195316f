"""Every rule between rows: exact key, row and column where it fires, and its nearest neighbour that is right."""

from collections.abc import Iterable

import polars as pl
import pytest
from texts import seen, text_table

from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library, load_library
from cyclopolis.plan import check_links, check_rows, check_sense
from cyclopolis.plan.convert import convert
from cyclopolis.plan.schema import columns

Row = dict[str, str]


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


class Tables:
    """Typed tables of a few rows, the rest empty."""

    def __init__(self, **rows: list[Row]) -> None:
        self.texts = {table: text_table(table, *rows.get(table, [])) for table in columns()}
        self.frames = {}
        for table, text in self.texts.items():
            self.frames[table], problems = convert(text, {})
            assert problems == []

    def sites(self, library: Library) -> Iterable[Problem]:
        return check_rows.check_sites(self.texts["sites"], self.frames["sites"], library.grid_factors)


def plant(**cells: str) -> Row:
    return {"plant": "a", "site": "s", "technology": "coal_power", "status": "existing", "activity": "5", **cells}


SITE_RULES = [
    ([{"parent": "b"}, {"site": "b"}], []),
    ([{"parent": "a"}], [("plan.site_cycle", 2, "parent", "a")]),
    ([{"parent": "b"}, {"site": "b", "parent": "a"}], [("plan.site_cycle", 2, "parent", "b")]),
    ([{"site": "c", "parent": "b"}, {"site": "b", "parent": "c"}], [("plan.site_cycle", 3, "parent", "c")]),
    (
        [{"parent": "b"}, {"site": "b", "parent": "c"}, {"site": "c", "parent": "b"}],
        [("plan.site_cycle", 3, "parent", "c")],
    ),
    ([{"parent": "b"}, {"site": "b", "parent": "c"}, {"site": "c"}, {"site": "d", "parent": "b"}], []),
    ([{"lon": "106.7", "lat": "26.6"}], []),
    ([{"lon": "106.7"}], [("plan.half_position", 2, "lat", "")]),
    ([{}, {"site": "b", "lat": "26.7"}], [("plan.half_position", 3, "lon", "")]),
    ([{"lon": "26.6", "lat": "80.7"}], [("plan.swapped", 2, "lon", "26.6")]),
    ([{"lon": "13.4", "lat": "52.5"}], []),
    ([{"lon": "73", "lat": "54"}], []),
    ([{"grid_region": "Shanxi"}, {"site": "b", "grid_region": "山西"}], []),
    ([{"grid_region": "Shanxii"}], [("plan.grid_region", 2, "grid_region", "Shanxii")]),
]


@pytest.mark.parametrize(("rows", "wanted"), SITE_RULES)
def test_sites(library: Library, rows: list[Row], wanted: list[tuple[str, int, str, str]]) -> None:
    tables = Tables(sites=[{"site": "a", "kind": "park", **row} for row in rows])
    assert seen(list(tables.sites(library))) == wanted


def test_a_circle_of_places_is_spelt_out(library: Library) -> None:
    rows = [{"site": one, "kind": "zone", "parent": two} for one, two in ("cd", "de", "ec", "xd")]
    (problem,) = Tables(sites=rows).sites(library)
    assert problem.text.values["chain"] == "c > d > e > c"
    (problem,) = Tables(sites=[{"site": "a", "kind": "park", "grid_region": "Guizou"}]).sites(library)
    assert problem.suggestion == "Guizhou"


PLANT_RULES = [
    (plant(), []),
    (plant(site="", enterprise="e"), []),
    (plant(site=""), [("plan.plant_nowhere", 2, "site", "")]),
    (plant(activity=""), [("plan.no_activity", 2, "activity", "")]),
    (plant(activity="0"), []),
    (plant(status="candidate", capacity="5", activity=""), []),
    (plant(status="candidate", capacity="5", activity="0"), []),
    (plant(status="planned", capacity="5"), [("plan.activity_of_future", 2, "activity", "5")]),
    (plant(status="planned", activity=""), [("plan.no_capacity", 2, "capacity", "")]),
    (plant(status="candidate", activity="", capacity="0"), [("plan.no_capacity", 2, "capacity", "0")]),
    (plant(capacity="5"), []),
    (plant(capacity="4.9999"), [("plan.over_capacity", 2, "activity", "5")]),
    (plant(activity="6", capacity="4"), [("plan.over_capacity", 2, "activity", "6")]),
    (plant(activity="6.1", capacity="4"), [("plan.over_capacity_far", 2, "activity", "6.1")]),
    (plant(status="candidate", activity="", capacity="5", build_until="2024"), []),
    (
        plant(status="candidate", activity="", capacity="5", build_until="2023"),
        [("plan.too_early", 2, "build_until", "2023")],
    ),
    (plant(build_until="2000"), []),
]
NOTICES = {"plan.no_activity", "plan.over_capacity"}


@pytest.mark.parametrize(("row", "wanted"), PLANT_RULES)
def test_plants(row: Row, wanted: list[tuple[str, int, str, str]]) -> None:
    tables = Tables(plants=[row])
    problems = list(check_rows.check_plants(tables.texts["plants"], tables.frames, 2023))
    assert seen(problems) == wanted
    assert all((problem.severity == "notice") == (problem.text.key in NOTICES) for problem in problems)
    assert all(problem.file == "plants.csv" for problem in problems)


def test_without_a_base_year_nothing_is_too_early() -> None:
    tables = Tables(
        plants=[plant(status="planned", activity="", capacity="5", build_until="1950")],
        targets=[{"quantity": "water", "year": "1950", "value": "5"}],
    )
    assert list(check_rows.check_plants(tables.texts["plants"], tables.frames, None)) == []
    assert list(check_rows.check_targets(tables.texts["targets"], tables.frames["targets"], None)) == []
    found = check_rows.check_targets(tables.texts["targets"], tables.frames["targets"], 1950)
    assert seen(list(found)) == [("plan.too_early", 2, "year", "1950")]
    assert list(check_rows.check_targets(tables.texts["targets"], tables.frames["targets"], 1949)) == []


@pytest.mark.parametrize(("status", "technology", "capex", "noted"), [
    ("candidate", "none_knows", "", True), ("planned", "none_knows", "", True), ("existing", "none_knows", "", False),
    ("candidate", "none_knows", "12", False), ("candidate", "priced", "", False),
    ("candidate", "half_priced", "", True),
])  # fmt: skip
def test_costs(status: str, technology: str, capex: str, noted: bool) -> None:
    tables = Tables(plants=[plant(status=status, technology=technology, capex=capex)])
    known = pl.DataFrame(
        {
            "technology": ["priced", "half_priced", "none_knows"],
            "capex": [5.0, 5.0, None],
            "reference_capacity": [10.0, None, 10.0],
            "scale_exponent": [0.6, 0.6, 0.6],
        }
    )
    problems = list(check_rows.check_costs(tables.texts["plants"], tables.frames["plants"], known))
    assert seen(problems) == ([("plan.no_capex", 2, "capex", "")] if noted else [])
    assert all(problem.text.values["technology"] == technology for problem in problems)


BOUNDS = [
    ("limits", {"quantity": "water"}, "min", "max"),
    ("markets", {"commodity": "cement", "sell_price": "5"}, "sell_min", "sell_max"),
    ("recipes", {"technology": "x", "commodity": "y", "direction": "in", "amount": "1"}, "low", "high"),
    ("commodities", {"commodity": "x"}, "price_low", "price_high"),
    ("plants", plant(), "build_from", "build_until"),
]


@pytest.mark.parametrize(("table", "row", "low", "high"), BOUNDS)
def test_a_lower_end_above_its_upper_end(table: str, row: Row, low: str, high: str) -> None:
    cells = [{low: "2031", high: "2030"}, {low: "2030", high: "2030"}, {low: "2029", high: "2030"}, {low: "2031"}]
    tables = Tables(**{table: [{**row, **more} for more in cells]})
    (problem,) = check_rows.check_bounds(tables.texts, tables.frames)
    assert seen([problem]) == [("plan.crossed", 2, low, "2031")]
    assert (problem.text.values["high"], problem.text.values["value_high"]) == (high, "2030")
    assert "2030" in problem.render("zh")


def test_a_limit_without_bounds() -> None:
    rows = [{"quantity": "water"}, {"quantity": "so2", "min": "0"}, {"quantity": "cod", "max": "-5"}]
    tables = Tables(limits=rows)
    assert seen(list(check_rows.check_bounds(tables.texts, tables.frames))) == [("plan.no_bound", 2, "max", "")]


@pytest.mark.parametrize(("cells", "wanted"), [
    ({"buy_price": "5"}, []),
    ({"sell_price": "-5", "sell_min": "1", "sell_max": "1"}, []),
    ({"buy_price": "0", "buy_max": "4"}, []),
    ({}, [("plan.no_price", "buy_price", "")]),
    ({"buy_max": "5"}, [("plan.no_price", "buy_price", "")]),
    ({"sell_price": "5", "buy_max": "7"}, [("plan.volume_only", "buy_max", "7")]),
    ({"buy_price": "5", "sell_max": "7"}, [("plan.volume_only", "sell_max", "7")]),
    (
        {"buy_price": "5", "sell_min": "6", "sell_max": "7"},
        [("plan.volume_only", "sell_min", "6"), ("plan.volume_only", "sell_max", "7")],
    ),
])  # fmt: skip
def test_markets(cells: Row, wanted: list[tuple[str, str, str]]) -> None:
    tables = Tables(markets=[{"commodity": "cement", "sell_price": "1"}, {"commodity": "cement", **cells}])
    problems = seen(list(check_rows.check_markets(tables.texts["markets"], tables.frames["markets"])))
    assert problems == [(key, 3, name, value) for key, name, value in wanted]


def test_exclusions() -> None:
    stands = plant(plant="old")
    future = [plant(plant=name, status="candidate", activity="", capacity="1") for name in "bcd"]
    groups = [("g", "b"), ("g", "c"), ("h", "b"), ("h", "old"), ("alone", "d")]
    tables = Tables(plants=[stands, *future], exclusions=[{"group": one, "plant": two} for one, two in groups])
    problems = list(check_rows.check_exclusions(tables.texts["exclusions"], tables.frames))
    assert seen(problems) == [
        ("plan.excludes_existing", 5, "plant", "old"),
        ("plan.excludes_one", 6, "group", "alone"),
    ]
    assert [problem.severity for problem in problems] == ["error", "notice"]


@pytest.mark.parametrize(("names", "wanted"), [
    ([], []),
    (["gdp", "fresh_water"], []),
    (["gdpp"], [("plan.unknown_indicator", 2, "gdpp", "gdp")]),
    (["gdp", "gdpp", "gdpp"], [("plan.unknown_indicator", 3, "gdpp", "gdp")]),
    (["fresh water"], [("plan.unknown_indicator", 2, "fresh water", "fresh_water")]),
    (["zzz_qqq"], [("plan.unknown_indicator", 2, "zzz_qqq", "")]),
    (["zzz_qqq", "gdp", "xxx_jjj"], [("plan.unknown_indicators", 2, "zzz_qqq", "")]),
])  # fmt: skip
def test_indicators(names: list[str], wanted: list[tuple[str, int, str, str]]) -> None:
    rows = [{"site": "s", "name": name, "year": "2023", "value": "1", "unit": "1"} for name in names]
    tables = Tables(indicators=rows)
    problems = list(check_rows.check_indicators(tables.texts["indicators"], tables.frames["indicators"]))
    assert [(p.text.key, p.row, p.value, p.suggestion) for p in problems] == wanted
    assert all((problem.severity, problem.column) == ("notice", "name") for problem in problems)
    if len(names) == 3 and "xxx_jjj" in names:
        assert problems[0].text.values["names"] == "xxx_jjj"


PLANTS = [
    plant(plant="power"), plant(plant="mill", technology="cement_opc"), plant(plant="slag", technology="acetylene_dry"),
    plant(plant="next", technology="cement_opc", status="candidate", activity="", capacity="1"),
]  # fmt: skip
MEASURED = [
    ({"plant": "power", "direction": "out", "commodity": "fly_ash"}, []),
    ({"plant": "power", "direction": "in", "commodity": "steam_coal"}, []),
    ({"from_plant": "power", "to_plant": "mill", "commodity": "fly_ash"}, []),
    ({"plant": "nobody", "direction": "in", "commodity": "cement"}, []),
    ({"commodity": "fly_ash"}, [("plan.measured_where", "plant", "")]),
    ({"plant": "power", "commodity": "fly_ash"}, [("plan.measured_where", "plant", "power")]),
    ({"direction": "in", "commodity": "fly_ash"}, [("plan.measured_where", "plant", "")]),
    ({"from_plant": "power", "commodity": "fly_ash"}, [("plan.measured_where", "plant", "")]),
    (
        {"plant": "power", "direction": "out", "to_plant": "mill", "commodity": "fly_ash"},
        [("plan.measured_where", "plant", "power")],
    ),
    (
        {"from_plant": "power", "to_plant": "mill", "direction": "in", "commodity": "fly_ash"},
        [("plan.measured_where", "plant", "")],
    ),
    ({"from_plant": "power", "to_plant": "power", "commodity": "x"}, [("plan.same_plant", "to_plant", "power")]),
    ({"plant": "power", "direction": "out", "commodity": "cement"}, [("plan.not_out", "commodity", "cement")]),
    ({"plant": "mill", "direction": "in", "commodity": "steam_cole"}, [("plan.not_in", "commodity", "steam_cole")]),
    (
        {"from_plant": "mill", "to_plant": "power", "commodity": "fly_ash"},
        [("plan.not_out", "commodity", "fly_ash"), ("plan.not_in", "commodity", "fly_ash")],
    ),
    (
        {"plant": "power", "direction": "out", "commodity": "fly_ash", "uncertainty": "1", "uncertainty_pct": "5"},
        [("plan.two_uncertainties", "uncertainty_pct", "5")],
    ),
]


@pytest.mark.parametrize(("cells", "wanted"), MEASURED)
def test_measurements(library: Library, cells: Row, wanted: list[tuple[str, str, str]]) -> None:
    tables = Tables(plants=PLANTS, measurements=[{"amount": "1", "year": "2023", **cells}])
    problems = list(check_links.check_measurements(tables.texts["measurements"], tables.frames, library))
    assert seen(problems) == [(key, 2, name, value) for key, name, value in wanted]
    assert all(problem.severity == "error" for problem in problems)


EXCHANGED = [
    ("power", "mill", "fly_ash", "", "existing", []),
    ("slag", "power", "carbide_slag", "limestone", "proposed", []),
    ("slag", "mill", "carbide_slag", "limestone", "proposed", [("plan.no_substitution", "as_commodity", "limestone")]),
    ("slag", "power", "carbide_slag", "", "proposed", [("plan.says_not_as", "commodity", "carbide_slag")]),
    ("power", "power", "fly_ash", "", "existing", [("plan.same_plant", "to_plant", "power")]),
    ("power", "next", "fly_ash", "", "proposed", []),
    ("power", "next", "fly_ash", "", "existing", [("plan.exchange_of_future", "to_plant", "next")]),
    ("next", "mill", "cement", "", "existing", [
        ("plan.exchange_of_future", "from_plant", "next"), ("plan.not_in", "commodity", "cement")]),
    ("mill", "power", "steam_coal", "", "proposed", [("plan.not_out", "commodity", "steam_coal")]),
    ("power", "slag", "fly_ash", "", "proposed", [("plan.not_in", "commodity", "fly_ash")]),
    ("power", "mill", "fly_ash", "limestone", "proposed", [("plan.no_substitution", "as_commodity", "limestone")]),
    ("power", "mill", "fly_ash", "gold", "proposed", [("plan.not_in", "as_commodity", "gold")]),
    ("power", "mill", "fly_ash", "fly_ash", "proposed", []),
    ("nobody", "nobody2", "fly_ash", "", "existing", []),
]  # fmt: skip


@pytest.mark.parametrize(("giver", "taker", "commodity", "instead", "status", "wanted"), EXCHANGED)
def test_exchanges(
    library: Library, giver: str, taker: str, commodity: str, instead: str, status: str,
    wanted: list[tuple[str, str, str]],
) -> None:  # fmt: skip
    row = {
        "from_plant": giver, "to_plant": taker, "commodity": commodity, "as_commodity": instead, "status": status,
    }  # fmt: skip
    tables = Tables(plants=PLANTS, exchanges=[row])
    problems = list(check_links.check_exchanges(tables.texts["exchanges"], tables.frames, library))
    assert seen(problems) == [(key, 2, name, value) for key, name, value in wanted]


def test_near_names_are_taken_from_what_passes_there(library: Library) -> None:
    row = {"from_plant": "power", "to_plant": "mill", "commodity": "fly_ahs", "status": "proposed"}
    tables = Tables(plants=PLANTS, exchanges=[row])
    problems = list(check_links.check_exchanges(tables.texts["exchanges"], tables.frames, library))
    assert [(problem.text.key, problem.suggestion) for problem in problems] == [
        ("plan.not_out", "fly_ash"),
        ("plan.not_in", "fly_ash"),
    ]
    assert {problem.text.values["technology"] for problem in problems} == {"coal_power", "cement_opc"}
    assert "mill (cement_opc)" in problems[1].render("en")
    assert "mill（cement_opc）" in problems[1].render("zh")


@pytest.mark.parametrize(("number", "text"), [
    (0.0, "0"), (1.0, "1"), (1234567.0, "1,234,567"), (0.5, "0.5"), (1e-7, "0"), (12.3456789, "12.345679"),
    (-1500.25, "-1,500.25"), (100.0, "100"),
])  # fmt: skip
def test_numbers_in_messages(number: float, text: str) -> None:
    assert check_rows.plain(number) == text


SITES = [{"site": "city", "kind": "city"}, {"site": "a", "kind": "park", "parent": "city"},
         {"site": "b", "kind": "park", "parent": "city"}, {"site": "a1", "kind": "parcel", "parent": "a"}]  # fmt: skip
LATE = {"year": "2030"}
LIMIT_RULES = [
    ([{"scope": "a", "min": "5"}, {"scope": "city", "max": "5"}], []),
    ([{"scope": "a", "min": "5.1"}, {"scope": "city", "max": "5"}], [("plan.limits_clash", 3, "max", "5")]),
    ([{"scope": "a1", "min": "6"}, {"max": "5"}], [("plan.limits_clash", 3, "max", "5")]),
    ([{"scope": "a1", "min": "3"}, {"scope": "a", "min": "2"}, {"max": "3"}], []),
    ([{"scope": "a", "min": "3"}, {"scope": "b", "min": "3"}, {"max": "5"}], [("plan.limits_clash", 4, "max", "5")]),
    ([{**LATE, "scope": "a", "min": "9"}, {"max": "5", "year": "2031"},
      {"scope": "a", "min": "1", "year": "2031"}], []),
    ([{**LATE, "scope": "a", "min": "9"}, {"max": "5", "year": "2025"}], [("plan.limits_clash", 3, "max", "5")]),
    ([{"scope": "b", "min": "9"}, {"scope": "a", "max": "5"}], []),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "wanted"), LIMIT_RULES)
def test_nested_limits(rows: list[Row], wanted: list[tuple[str, int, str, str]]) -> None:
    tables = Tables(sites=SITES, limits=[{"quantity": "jobs", **row} for row in rows])
    assert seen(list(check_sense.check_limits(tables.texts["limits"], tables.frames))) == wanted
    signed = Tables(sites=SITES, limits=[{"quantity": "fiscal_revenue", **row} for row in rows])
    assert list(check_sense.check_limits(signed.texts["limits"], signed.frames)) == []


GIFT_RULES = [
    ([{"buy_price": "5", "sell_price": "5"}], []),
    ([{"buy_price": "5", "sell_price": "6"}], [("plan.sells_dearer", 2, "sell_price", "6")]),
    ([{"buy_price": "5"}, {"sell_price": "6"}], [("plan.sells_dearer", 3, "sell_price", "6")]),
    ([{"buy_price": "5"}, {"sell_price": "6", "site": "s"}], []),
    ([{"buy_price": "5"}, {"sell_price": "6", "commodity": "coke"}], []),
    ([{"buy_price": "5"}, {"sell_price": "6", "year": "2030"}, {"buy_price": "7", "year": "2030"}], []),
    ([{"buy_price": "-9", "sell_price": "-10"}], []),
]


@pytest.mark.parametrize(("rows", "wanted"), GIFT_RULES)
def test_a_gain_without_work(rows: list[Row], wanted: list[tuple[str, int, str, str]]) -> None:
    tables = Tables(markets=[{"commodity": "coal", **row} for row in rows])
    assert seen(list(check_sense.check_gifts(tables.texts["markets"], tables.frames["markets"]))) == wanted


def test_years_before_the_base_year_are_asked_after() -> None:
    tables = Tables(
        markets=[{"commodity": "coal", "buy_price": "5", "year": "2022"}, {"commodity": "coal", "buy_price": "5"}],
        limits=[{"quantity": "jobs", "max": "5", "year": "2023"}, {"quantity": "so2", "max": "5", "year": "2003"}],
        plants=[plant(build_from="2000"), plant(plant="b", status="planned", build_from="2022")],
    )
    found = list(check_sense.check_years(tables.texts, tables.frames, 2023))
    assert [(problem.file, problem.row) for problem in found] == [
        ("markets.csv", 2), ("limits.csv", 3), ("plants.csv", 3),
    ]  # fmt: skip
    assert list(check_sense.check_years(tables.texts, tables.frames, None)) == []
