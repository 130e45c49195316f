"""The pages in a real browser: drawn, silent, alone, and on paper."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import fakes
import pytest

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import LANGUAGES, Language
from cyclopolis.plan import Plan
from cyclopolis.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=LANGUAGES)
def report(
    request: pytest.FixtureRequest, plan: Plan, results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    language: Language = request.param
    return write_report(plan, results, tmp_path_factory.mktemp(f"report_{language}"), language)


@pytest.fixture(scope="module")
def english(plan: Plan, results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(plan, results, tmp_path_factory.mktemp("report"), "en")


def test_figures_are_drawn_silently_alone_and_hostile_names_are_only_names(
    report: Path, browser: Callable[..., str], tmp_path: Path
) -> None:
    log = tmp_path / "net.json"
    seen = browser(report, "--dump-dom", "--enable-logging=stderr", "--v=0", f"--log-net-log={log}")
    console = [line for line in seen.splitlines() if "CONSOLE" in line]
    assert console == []
    assert 'data-drawn="5"' in seen
    assert seen.count('class="main-svg"') >= 4
    assert seen.count('class="paper"') == 5
    assert "sankey-link" in seen
    assert asked_by_the_page(log) == []
    assert "<script>alert" not in seen
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in seen
    assert len(re.findall("<script", seen)) == 3


def asked_by_the_page(log: Path) -> list[str]:
    """Return what the page asked the network for; what the browser asks of itself has no origin."""
    events = [
        line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if '"initiator":"' in line
    ]
    return [line for line in events if '"initiator":"not an origin"' not in line]


def test_the_network_test_can_fail(browser: Callable[..., str], tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text('<img src="http://example.invalid/picture.png">')
    log = tmp_path / "net.json"
    browser(page, "--dump-dom", f"--log-net-log={log}")
    assert any("http://example.invalid/picture.png" in event for event in asked_by_the_page(log))


def test_the_console_test_can_fail(browser: Callable[..., str], tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<script>console.error('something is wrong')</script>")
    assert "something is wrong" in browser(page, "--dump-dom", "--enable-logging=stderr", "--v=0")


def test_the_policy_stops_a_script_that_is_not_ours(english: Path, browser: Callable[..., str], tmp_path: Path) -> None:
    text = english.read_text(encoding="utf-8")
    page = tmp_path / "injected.html"
    page.write_text(text.replace("</body>", "<script>document.title='owned'</script></body>"), encoding="utf-8")
    seen = browser(page, "--dump-dom", "--enable-logging=stderr", "--v=0")
    assert "<title>owned</title>" not in seen
    assert "Content Security Policy" in seen


def pages(path: Path) -> int:
    """Return how many sheets a PDF has, from its page tree."""
    counts = [int(number) for number in re.findall(rb"/Type\s*/Pages.*?/Count\s+(\d+)", path.read_bytes(), re.DOTALL)]
    return max(counts)


def test_the_summary_prints_on_at_most_two_sheets(report: Path, browser: Callable[..., str], tmp_path: Path) -> None:
    paper = tmp_path / "summary.pdf"
    browser(report.with_name("summary.html"), f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert 1 <= pages(paper) <= 2


def test_the_summary_stays_at_two_sheets_with_a_crowd_of_long_names(
    plan: Plan, browser: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: dict[str, Result]
) -> None:
    monkeypatch.setattr(fakes, "HOSTILE", "very long 名称 " * 40)
    crowd = {"balance": fakes.balance(500), "design": fakes.design(500), "rating": results["rating"]}
    for language in LANGUAGES:
        page = write_report(plan, crowd, tmp_path / language, language).with_name("summary.html")
        paper = tmp_path / f"{language}.pdf"
        browser(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
        assert pages(paper) == 2


def test_the_report_prints_with_its_figures(english: Path, browser: Callable[..., str], tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browser(english, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert 4 <= pages(paper) <= 40


def test_figures_survive_the_way_into_the_page(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert found
    figures = json.loads(found.group(1))
    assert figures["balance-sankey"]["data"][0]["link"]["value"] == [5.0, None]
    assert figures["balance-sankey"]["data"][0]["node"]["label"][1] == "&lt;/script&gt;&lt;!--"
