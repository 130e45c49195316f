"""Names that try to be more than names: in every table of a plan, on both pages, in every attribute and figure."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import browsers
import fakes
import polars as pl
import pytest
from reading import Page

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import LANGUAGES, Language
from cyclopolis.plan import Plan
from cyclopolis.report.escape import escape_figure, escape_label, script_json
from cyclopolis.report.names import Names
from cyclopolis.report.page import report_page, summary_page

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "]]>",
    "{{ 7 * 7 }}",
    "{% include 'x' %}",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "&lt;b&gt;",
    "&amp;lt;",
    "a\u2028b",
    "\u202etxt.exe",
    "名称<b>粗</b>",
]


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def renamed(plan: Plan, name: str) -> Plan:
    """Return the plan with one hostile name for everything in it."""
    tables = {
        table: frame.with_columns(
            pl.lit(name).alias(column) for column in ("name", "name_zh") if column in frame.columns
        )
        for table, frame in plan.tables.items()
    }
    return replace(plan, tables=tables, meta=replace(plan.meta, name=name, name_zh=name, place=name))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_is_only_text_on_both_pages(plan: Plan, name: str, language: Language) -> None:
    hostile = renamed(plan, name)
    clean = Names(plan, language)
    names = Names(hostile, language)
    for render in (report_page, summary_page):
        page, usual = Page(render(hostile, {}, names)), Page(render(plan, {}, clean))
        assert page.tags == usual.tags
        assert [one[:2] for one in page.attributes] == [one[:2] for one in usual.attributes]
        assert name in page.text or name.strip() in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_in_results_and_figures(
    plan: Plan, results: dict[str, Result], name: str, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fakes, "HOSTILE", name)
    made = {"balance": fakes.balance(3), "design": fakes.design(2)}
    html = report_page(plan, made, Names(plan, language))
    page = Page(html)
    assert page.tags.count("script") == 3
    assert page.tags.count("style") == 1
    assert "img" not in page.tags
    assert "svg" not in page.tags
    assert not [one for _, one, _ in page.attributes if one.startswith("on")]
    assert any(name in cell.text for table in page.tables for row in table.rows for cell in row) or name != name.strip()
    figures = json.loads(page.scripts[0])
    labels = figures["balance-sankey"]["data"][0]["node"]["label"]
    assert not set("<>") & set(labels[0])
    assert not set("<>&\u2028") & set(page.scripts[0])


def test_a_label_is_escaped_once_and_stays_readable(name: str) -> None:
    label = escape_label(name)
    assert not set("<>") & set(label)
    assert escape_label(label) == label, "what is harmless already stays"
    assert "&amp;gt;" not in escape_label("CO2 vent (>=95 %)")
    assert unescape(escape_label("CO2 vent (>=95 %)")) == "CO2 vent (>=95 %)"
    assert escape_label("CO2 vent (&gt;=95 %)") == "CO2 vent (&gt;=95 %)"


def test_json_in_a_script_is_the_same_value_and_cannot_end_it(name: str) -> None:
    value = {"name": [name, {"deep": name}], "number": 1.5, "none": None}
    text = script_json(value)
    assert json.loads(text) == value
    assert not re.search(r"[<>&\u2028\u2029]", text)


@pytest.mark.parametrize("tag", ["br", "b", "i", "sub", "sup", "extra"])
def test_hover_texts_keep_their_own_tags_only(tag: str, name: str) -> None:
    safe = escape_figure({"hovertemplate": f"<{tag}>{name}</{tag}>"})["hovertemplate"]
    assert safe.startswith(f"<{tag}>")
    kept = set(re.findall(r"</?([a-z]+)", safe))
    assert kept <= {"br", "b", "i", "sub", "sup", "extra"}


@pytest.mark.parametrize("value", ["true", "1", "TRUE"])
def test_without_a_browser_the_tests_fail_in_ci(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception, match="Chromium"):
        browsers.chromium()


@pytest.mark.parametrize("value", [None, "", "false", "0"])
def test_without_a_browser_the_tests_are_skipped_elsewhere(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.skip.Exception):
        browsers.chromium()


def test_the_fonts_and_styles_come_with_the_page(plan: Plan, tmp_path: Path) -> None:
    html = report_page(plan, {}, Names(plan, "en"))
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    assert "@font-face" not in html
    assert not re.findall(r"https?://", html)
