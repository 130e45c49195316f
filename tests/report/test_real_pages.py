"""Pages of the bundled examples: every part there, numbers equal to the tables, with units and provenance."""

import base64
import re
from collections.abc import Callable
from hashlib import sha256

import polars as pl
import pytest
from reading import Page

from cyclopolis.foundation.numbers import column_text, number_text, quantity_text, unit_text
from cyclopolis.foundation.text import LANGUAGES, Language, catalogue, say
from cyclopolis.plan.schema import columns, quantities
from cyclopolis.report.cells import ROWS
from cyclopolis.report.names import Names
from cyclopolis.report.page import report_page, summary_page
from cyclopolis.report.sections_accounts import DETAILS
from cyclopolis.report.sections_rating import focus, scope_name
from cyclopolis.study import RunResult

Ran = Callable[..., RunResult]
CASES = [(example, language) for example in ("quickstart", "changzhi") for language in LANGUAGES]
CLASSES = {"measured", "user", "seen", "memory", "assumed", "computed"}
ALWAYS = ["overview", "place", "data", "balance", "details", "circularity", "design", "rating", "unknowns", "prices"]
NO_UNIT = {"quality", "frameworks", "frameworks_site"}
"""Tables of counts: a count of rows or indicators has no unit."""


class Read:
    """A run, its names in one language, and its two pages read back."""

    def __init__(self, done: RunResult, language: Language) -> None:
        self.done = done
        self.language = language
        self.names = Names(done.plan, language)
        self.html = report_page(done.plan, done.results, self.names)
        self.summary_html = summary_page(done.plan, done.results, self.names)
        self.page = Page(self.html)
        self.summary = Page(self.summary_html)

    def say(self, key: str, **values: object) -> str:
        return say(key, self.language, **values)

    def table(self, engine: str, name: str) -> pl.DataFrame:
        return self.done.results[engine].tables[name]

    def place(self, engine: str, name: str) -> pl.DataFrame:
        return self.table(engine, name).filter(pl.col("scope_kind") == "place")


_read: dict[tuple[str, Language], Read] = {}


@pytest.fixture(params=CASES, ids="-".join)
def read(request: pytest.FixtureRequest, ran: Ran) -> Read:
    example, language = request.param
    if request.param not in _read:
        _read[request.param] = Read(ran(example), language)
    return _read[request.param]


def test_every_part_is_there_once_in_reading_order(read: Read) -> None:
    found = read.page.sections
    assert [name for name in found if name in ALWAYS] == ALWAYS
    assert set(found) - set(ALWAYS) <= {"reconcile", "stocks", "water", "heat"}
    stocks = read.table("balance", "stocks")
    assert ("stocks" in found) == (not stocks.is_empty())
    tests = read.table("balance", "reconcile_tests")
    assert ("reconcile" in found) == (not tests.is_empty())


def test_every_part_has_its_title_and_stands_in_the_contents(read: Read) -> None:
    links = [value for tag, name, value in read.page.attributes if tag == "a" and name == "href"]
    assert links == [f"#{section}" for section in read.page.sections]
    for section in read.page.sections:
        assert read.page.titles[section] == read.say(f"report.section_{section}")


def test_no_identifier_key_or_bare_value_is_left(read: Read) -> None:
    for text in (read.page.text, read.summary.text):
        assert "@unit" not in text
        assert not re.search(r"\b(nan|None(?!\.)|null|inf|True|False)\b", text)
        keys = [
            key
            for key in catalogue()
            if "." in key and key.partition(".")[2] and re.search(rf"\b{re.escape(key)}\b", text)
        ]
        assert not keys
        assert "&lt;" not in text
        assert "&gt;" not in text
        assert "&amp;" not in text


def test_every_quantity_of_the_accounts_has_a_name(read: Read) -> None:
    for engine, name in (("balance", "accounts"), ("balance", "account_spread"), ("design", "accounts")):
        for quantity in read.table(engine, name)["quantity"].unique():
            assert read.names.quantity(quantity) != quantity, quantity


def test_every_table_of_a_plan_has_a_name_for_the_quality_table() -> None:
    for name, known in columns().items():
        if any(column.name == "source" for column in known) and name != "scenarios":
            assert f"quality_table.{name}" in catalogue(), name


def test_place_accounts_equal_the_balance(read: Read) -> None:
    shown = read.page.table("accounts_place", "balance")
    own = read.place("balance", "accounts")
    assert len(shown.rows) == own.height
    for row, cells in zip(own.iter_rows(named=True), shown.rows, strict=True):
        assert cells[0].text == read.names.quantity(row["quantity"])
        assert cells[1].text == quantity_text(row["value"], row["unit"], read.language)
        assert cells[2].badge == "computed"


@pytest.mark.parametrize("position", [1, 2, 3])
def test_place_accounts_equal_the_design(read: Read, position: int) -> None:
    column = ("quantity", "before", "after", "change")[position]
    shown = read.page.table("accounts_place", "design")
    own = read.place("design", "accounts")
    assert len(shown.rows) == own.height
    for row, cells in zip(own.iter_rows(named=True), shown.rows, strict=True):
        text = quantity_text(row[column], row["unit"], read.language, signed=column == "change")
        assert cells[position].text == text


def test_changes_are_coloured_by_what_is_better(read: Read) -> None:
    shown = read.page.table("accounts_place", "design")
    for row, cells in zip(read.place("design", "accounts").iter_rows(named=True), shown.rows, strict=True):
        known, change = quantities().get(row["quantity"]), row["change"]
        marks = " ".join(cells[3].codes)
        if known is None or not change:
            continue
        good = (change > 0) == (known.better == "higher")
        assert ("better" if good else "worse") in marks
        assert ("worse" if good else "better") not in marks


def test_spread_equals_the_table(read: Read) -> None:
    shown = read.page.table("spread", "details")
    own = read.place("balance", "account_spread").filter(pl.col("value").is_not_null())
    assert shown.caption.badge == "computed"
    assert len(shown.rows) == own.height > 0
    for row, cells in zip(own.iter_rows(named=True), shown.rows, strict=True):
        value, sd, low, high = (
            quantity_text(row[name], row["unit"], read.language) for name in ("value", "sd", "low95", "high95")
        )
        assert [cell.text for cell in cells] == [
            read.names.quantity(row["quantity"]),
            value,
            f"± {sd}",
            read.say("report.interval", low=low, high=high),
            str(row["unknown"]),
        ]


@pytest.mark.parametrize("caption", DETAILS)
def test_details_equal_the_table(read: Read, caption: str) -> None:
    own = read.place("balance", "details").filter(
        pl.col("account").is_in(DETAILS[caption]) & pl.col("provenance").is_not_null()
    )
    if own.is_empty():
        assert read.say("report.none") in read.page.text
        return
    shown = read.page.table(caption, "details")
    texts = column_text(own.head(ROWS)["value"].to_list(), "", read.language)[1]
    name = "name_zh" if read.language == "zh" else "name"
    for row, text, cells in zip(own.head(ROWS).iter_rows(named=True), texts, shown.rows, strict=True):
        assert cells[0].text == row[name]
        by_header = {header.style: cell for header, cell in zip(shown.headers, cells, strict=True)}
        assert by_header["is-number"].text == text
        assert by_header["is-unit"].text == unit_text(row["unit"], read.language)
        assert by_header["is-badge"].badge == row["provenance"]
        if row["of"] is None and len(shown.headers) == 5:
            assert cells[1].text == read.say("report.total")


def test_classes_of_waste_are_named_with_their_codes(read: Read) -> None:
    classes = read.done.plan.library.solid_waste_classes
    shown = " ".join(cell.text for row in read.page.table("details_waste").rows for cell in row)
    own = read.place("balance", "details").filter(pl.col("account") == "solid_waste")["of"].drop_nulls().unique()
    name = "name_zh" if read.language == "zh" else "name"
    known = dict(classes.select("class_code", name).iter_rows())
    assert own.len() > 0
    for code in own:
        assert f"{known[code]} ({code})" in shown


def test_co2_is_split_and_the_parts_are_those_of_the_table(read: Read) -> None:
    shown = read.page.table("details_carbon")
    own = read.place("balance", "details").filter(pl.col("account") == "carbon", pl.col("provenance").is_not_null())
    assert len(shown.rows) == own.height
    assert {"fuel", "process", "power_bought"} <= set(own["item"])


def test_circularity_equals_the_table(read: Read) -> None:
    shown = read.page.table("circularity", "circularity")
    own = read.place("balance", "circularity")
    assert shown.caption.badge == "computed"
    assert len(shown.rows) == own.height
    name = "name_zh" if read.language == "zh" else "name"
    assert [row[0].text for row in shown.rows] == own[name].to_list()
    texts = [number_text(value, 3) for value in own["value"].to_list()]
    assert [row[1].text for row in shown.rows] == texts
    assert shown.column(read.say("header.formula_source")) == own["source"].to_list()


def test_a_measure_without_a_value_says_what_is_missing(read: Read) -> None:
    shown = read.page.table("circularity", "circularity")
    own = read.place("balance", "circularity")
    notes = shown.column(read.say("header.measure_note"))
    for value, note, text in zip(own["value"], notes, [row[1].text for row in shown.rows], strict=True):
        assert (value is None) <= (note != "")
        assert (text == "–") == (value is None)


def test_stocks_equal_the_table(read: Read) -> None:
    own = read.table("balance", "stocks")
    if own.is_empty():
        assert "stocks" not in read.page.sections
        return
    shown = read.page.table("stocks", "stocks")
    years = [int(text.replace(",", "")) for text in shown.column(read.say("header.year"))]
    meta = read.done.plan.meta
    allowed = {meta.base_year, *meta.horizon, own["year"].min(), own["year"].max()}
    assert set(years) <= allowed
    assert meta.base_year in years
    told = own.filter(pl.col("year").is_in(sorted(allowed)))
    assert len(shown.rows) == told.height
    assert shown.column(read.say("header.value")) == [number_text(value, 3) for value in told["value"]]


def test_rating_is_shown_for_the_scope_of_which_most_is_known(read: Read) -> None:
    rating = read.done.results["rating"]
    scope = focus(rating)
    named = scope_name(scope, read.names)
    assert read.say("report.rating_scope", scope=named) in read.page.text
    own = rating.tables["frameworks"].filter(pl.col("scope") == scope)
    table = read.page.table("frameworks", "overview")
    assert table.caption.text.startswith(read.say("report.frameworks_of", scope=named))
    assert len(table.rows) == min(own.height, ROWS)
    met = table.column(read.say("header.met_before"))
    assert met == [str(count) for count in own["met_before"]]


def test_known_indicators_of_the_scope_are_all_listed(read: Read) -> None:
    rating = read.done.results["rating"]
    own = rating.tables["indicators"].filter(pl.col("scope") == focus(rating))
    known = own.filter(
        (pl.col("status_before") != "unknown") | (pl.col("status_after").fill_null("unknown") != "unknown")
    )
    shown = [row for table in read.page.tables if table.name == "indicators" for row in table.rows]
    assert len(shown) == known.height > 0


def test_origins_are_words(read: Read) -> None:
    header = read.say("header.origin")
    texts = {
        text for table in read.page.tables if table.name == "indicators" and table.rows for text in table.column(header)
    }
    words = {
        read.names.word(f"origin.{code}") for code in ("user", "plan", "engine", "user+engine", "exceeds", "lapsed")
    }
    assert texts
    assert {part for text in texts for part in text.split(read.say("report.list_mark").strip())}
    for text in texts:
        assert "=" not in text
        assert any(word in text for word in words), text


def test_builds_equal_the_table(read: Read) -> None:
    own = read.table("design", "builds")
    if own.is_empty():
        pytest.fail("an example whose design builds nothing shows nothing")
    shown = read.page.table("builds", "design")
    assert [row[0].text for row in shown.rows] == [read.names.of("plant", plant) for plant in own["plant"]]
    assert [row[-1].badge for row in shown.rows] == own["provenance"].to_list()
    assert shown.column(read.say("header.capacity")) == [number_text(value, 3) for value in own["capacity"]]


def test_limits_that_bind_stand_first_and_all_are_there(read: Read) -> None:
    own = read.table("design", "limits")
    shown = read.page.table("limits", "design")
    assert len(shown.rows) == own.height
    binding = [row[-1].text == read.say("binding.yes") for row in shown.rows]
    assert binding == sorted(binding, reverse=True)
    assert sum(binding) == own["binding"].sum()


def test_proposals_equal_the_table(read: Read) -> None:
    own = read.table("design", "proposed")
    if own.is_empty():
        return
    shown = read.page.table("proposed", "design")
    statuses = shown.column(read.say("header.proposed_status"))
    assert statuses == [read.say(f"proposed.{status}") for status in own["status"]]


def test_bought_power_that_falls_is_said_to_be_a_shift(read: Read) -> None:
    exchanges, accounts = read.table("design", "exchanges"), read.place("design", "accounts")
    direct = exchanges.filter((pl.col("commodity") == "electricity") & (pl.col("change") > 0)).height > 0
    falls = accounts.filter(pl.col("quantity") == "co2_power")["change"][0] < 0
    assert (read.say("report.grid_note") in read.page.text) == (direct and falls)
    assert direct, "both examples let stations supply plants"


def test_every_number_has_a_unit_or_is_a_count(read: Read) -> None:
    own_units = re.compile(r"\(|%|±")
    counts = {
        read.say(f"header.{name}")
        for name in (
            "population",
            "jobs",
            "indicators",
            "year",
            "row",
            "rank",
            "measurements",
            "local_test",
            "p",
            "unranged",
        )
    }
    counts.add(read.names.quantity("jobs"))
    for table in read.page.tables:
        if table.name in NO_UNIT or not table.rows:
            continue
        has_unit = any(header.style == "is-unit" for header in table.headers)
        for position, header in enumerate(table.headers):
            if header.style != "is-number" or header.text in counts or has_unit:
                continue
            in_cells = any(re.search(r"[^\d,.\-+–± ]", row[position].text) for row in table.rows)
            assert own_units.search(header.text) or in_cells, (table.name, header.text)


def test_every_table_with_numbers_says_where_they_come_from(read: Read) -> None:
    without = {"quality"}
    reconciled = {"suspects", "suspect_changes", "reconciled", "overruled", "reconciled_plants", "missing_measurements"}
    for table in read.page.tables:
        if not table.rows or not any(cell.style in ("is-number", "is-change") for cell in table.rows[0]):
            continue
        if table.name in without or table.name in reconciled:
            continue
        if table.caption.badge:
            assert table.caption.badge in CLASSES
            continue
        badges = [[cell.badge for cell in row if cell.style == "is-badge"] for row in table.rows]
        assert all(any(one in CLASSES for one in row) for row in badges), table.name


def test_every_tile_has_a_badge(read: Read) -> None:
    spans = re.findall(r'<div class="tile">.*?</span></div>', read.html, re.DOTALL)
    lines = sum(min(len(result.summary()), 10) for name, result in read.done.results.items() if name != "rating")
    assert len(spans) == lines + len(read.done.results["rating"].summary())
    assert all(re.search(r'class="badge (\w+)"', span).group(1) in CLASSES for span in spans)


def test_every_row_is_as_wide_as_its_head(read: Read) -> None:
    for page in (read.page, read.summary):
        for table in page.tables:
            assert all(len(row) == len(table.headers) for row in table.rows), table.name
            assert all(header.text for header in table.headers), table.name


def test_no_page_names_an_address_outside(read: Read) -> None:
    library = read.page.scripts[1]
    for html in (read.html.replace(library, ""), read.summary_html):
        page = Page(html)
        loads = [value for _, name, value in page.attributes if name in ("src", "href", "action", "data", "srcset")]
        assert all(value.startswith(("#", "data:")) for value in loads)
        assert not re.findall(r"url\(\s*['\"]?(?!data:)", html)
        assert "@import" not in html
        assert not {"iframe", "object", "embed", "form", "base"} & set(page.tags)


def policy(page: Page) -> str:
    found = [
        value for tag, name, value in page.attributes if tag == "meta" and name == "content" and "script-src" in value
    ]
    assert len(found) == 1
    return found[0]


def test_the_policy_allows_just_the_scripts_of_the_page(read: Read) -> None:
    allowed = set(re.findall(r"'sha256-([^']+)'", policy(read.page)))
    runs = read.page.scripts[1:]
    assert {base64.b64encode(sha256(text.encode()).digest()).decode() for text in runs} == allowed
    assert len(allowed) == 2
    assert "unsafe-eval" not in policy(read.page)
    assert "script-src 'none'" in policy(read.summary)
    assert read.summary.scripts == []
    assert not [name for _, name, _ in read.page.attributes if name.startswith("on")]


def test_the_language_of_the_page_is_said(read: Read) -> None:
    wanted = "zh-CN" if read.language == "zh" else "en"
    for page in (read.page, read.summary):
        assert ("html", "lang", wanted) in page.attributes
    chinese = len(re.findall(r"[\u4e00-\u9fff]", read.page.text))
    assert (chinese > 2000) == (read.language == "zh")


def test_the_summary_has_the_same_numbers_as_the_report(read: Read) -> None:
    report = {tuple(cell.text for cell in row) for row in read.page.table("accounts_place", "design").rows}
    few = [tuple(cell.text for cell in row) for row in read.summary.table("accounts_place").rows]
    assert few
    assert set(few) <= report


def test_pictures_have_names_and_boxes(read: Read) -> None:
    boxes = [value for tag, name, value in read.page.attributes if tag == "div" and name == "id"]
    figures = [f"figure-{n}-{f}" for n, r in read.done.results.items() for f in r.figures(read.language)]
    assert sorted(boxes) == sorted(figures)
    labels = [value for _, name, value in read.page.attributes if name == "aria-label"]
    assert len(labels) == len(boxes)
    assert all(labels)
