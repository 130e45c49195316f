"""What stands on the pages: everything asked for, in both languages, with units and provenance."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import fakes
import polars as pl
import pytest

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import LANGUAGES, say
from cyclopolis.plan import Plan
from cyclopolis.report import write_report
from cyclopolis.report.blocks import Cell, Table
from cyclopolis.report.cells import ROWS, View, table_block
from cyclopolis.report.escape import escape_figure, escape_label, script_json
from cyclopolis.report.names import Names
from cyclopolis.report.page import report_page, summary_page
from cyclopolis.report.sections import report_sections


class Outline(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.sources: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module", params=LANGUAGES)
def names(request: pytest.FixtureRequest, plan: Plan) -> Names:
    return Names(plan, request.param)


def without_scripts(page: str) -> str:
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_every_part_is_there(plan: Plan, results: dict[str, Result], names: Names) -> None:
    page = unescape(without_scripts(report_page(plan, results, names)))
    for part in ("overview", "place", "data", "balance", "design", "rating", "unknowns", "prices"):
        assert say(f"report.section_{part}", names.language) in page
    for caption in ("builds", "proposed", "limits", "exchanges", "quality", "accounts_place", "frameworks"):
        assert say(f"report.{caption}", names.language) in page
    for provenance in ("measured", "user", "seen", "memory", "assumed", "computed"):
        assert f'class="badge {provenance}"' in page
        assert say(f"provenance_long.{provenance}", names.language) in page
    assert say("number.unknown", names.language) in page


def test_a_page_needs_nothing_from_outside(plan: Plan, results: dict[str, Result], names: Names) -> None:
    for page in (report_page(plan, results, names), summary_page(plan, results, names)):
        outline = Outline(page)
        assert not {"link", "img", "iframe", "object"} & set(outline.tags) - {"link"}
        assert all(source.startswith(("#", "data:")) for source in outline.sources)
        assert "default-src &#39;none&#39;" in page


def test_names_are_only_text(plan: Plan, results: dict[str, Result], names: Names) -> None:
    for page in (report_page(plan, results, names), summary_page(plan, results, names)):
        outline = Outline(page)
        assert outline.tags.count("script") == page.count("<script")
        assert "alert(1)" in "".join(outline.text)
        assert fakes.HOSTILE not in page
        assert fakes.CLOSING not in page
    assert report_page(plan, results, names).count("</script>") == 3


def test_the_plan_s_own_name_is_only_text(plan: Plan, names: Names) -> None:
    hostile = replace(plan, meta=replace(plan.meta, name=fakes.HOSTILE, name_zh=fakes.HOSTILE, place=fakes.CLOSING))
    page = summary_page(hostile, {}, Names(hostile, names.language))
    assert fakes.HOSTILE not in page
    assert fakes.HOSTILE in unescape(page)


def test_pages_without_engines_still_stand(plan: Plan, names: Names) -> None:
    page = report_page(plan, {}, names)
    assert say("report.section_place", names.language) in page
    assert say("report.section_design", names.language) not in page
    assert "<script" not in page
    assert "script-src &#39;none&#39;" in page


def test_no_key_and_no_bare_unit_is_left_on_a_page(plan: Plan, results: dict[str, Result], names: Names) -> None:
    text = " ".join(Outline(without_scripts(report_page(plan, results, names))).text)
    assert "@" not in text
    assert not re.search(r"\b(report|header|provenance_short|status|unknown|quantity|proposed)\.[a-z_]+\b", text)
    assert not re.search(r"\b(nan|None|null|inf)\b", text)


def test_the_same_results_give_the_same_bytes(plan: Plan, results: dict[str, Result], tmp_path: Path) -> None:
    pages = [write_report(plan, results, tmp_path / name, "zh") for name in ("a", "b")]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert pages[0].with_name("summary.html").read_bytes() == pages[1].with_name("summary.html").read_bytes()
    assert pages[0].is_absolute()


def test_the_plan_decides_the_language_when_nobody_else_does(plan: Plan, tmp_path: Path) -> None:
    chinese = replace(plan, meta=replace(plan.meta, language="zh"))
    assert 'lang="zh-CN"' in write_report(chinese, {}, tmp_path).read_text(encoding="utf-8")
    assert 'lang="en"' in write_report(chinese, {}, tmp_path, "en").read_text(encoding="utf-8")


def test_a_long_table_says_how_much_is_left_out(plan: Plan) -> None:
    table = pl.DataFrame({"plant": [f"p{n}" for n in range(ROWS + 7)]})
    block = table_block(table, View("plants", ("plant",)), (), Names(plan, "en"))
    assert len(block.rows) == ROWS
    assert block.more == 7


def test_cells_have_units_names_and_badges(plan: Plan, results: dict[str, Result]) -> None:
    sections = {section.name: section for section in report_sections(plan, results, Names(plan, "en"))}
    tables = {block.name: block for block in sections["design"].blocks if isinstance(block, Table)}
    builds = tables["builds"]
    headers = [cell.text for cell in builds.headers]
    assert "Capital (million CNY)" in headers
    assert "Capacity (per year)" in headers
    assert builds.rows[0][0].text == "Lime burning (shaft/sleeve kiln) at <script>alert(1)</script>\"'& (new)"
    assert Cell("library, memory", "badge", "memory") in builds.rows[0]
    assert "Land (ha)" not in headers, "a column in which nothing is known is left out"
    limits = tables["limits"]
    assert [row[-1].code for row in limits.rows] == sorted((row[-1].code for row in limits.rows), reverse=True)
    places = tables["accounts_place"]
    changes = {row[0].text: row[3] for row in places.rows}
    assert changes["Fresh water taken"].code == "better"
    assert changes["Jobs"].code == "worse"
    assert changes["Jobs"].text == "-120"


def test_plants_of_one_name_are_told_apart(plan: Plan) -> None:
    plants = plan.tables["plants"].with_columns(name=pl.lit("Kiln"), name_zh=pl.lit("窑"))
    same = replace(plan, tables={**plan.tables, "plants": plants})
    called = {Names(same, "en").of("plant", plant) for plant in plants["plant"]}
    assert len(called) == plants.height
    assert all(name.startswith("Kiln (") for name in called)


def test_labels_and_scripts_cannot_break_out() -> None:
    figure = {
        "a": [fakes.HOSTILE, 1, None, True, float("inf")],
        "hovertemplate": "<b>%{x}</b><img src=x><extra></extra>",
    }
    safe = escape_figure(figure)
    assert safe["a"] == [escape_label(fakes.HOSTILE), 1, None, True, None]
    assert safe["hovertemplate"] == "<b>%{x}</b>&lt;img src=x&gt;<extra></extra>"
    text = script_json({"k": fakes.HOSTILE + fakes.CLOSING + "\u2028"})
    assert not set("<>&\u2028") & set(text)
