"""Writes the pages: one that opens offline with its pictures, and a summary of at most two sheets."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

import cyclopolis
from cyclopolis.foundation.files import write_atomic
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import Language, say
from cyclopolis.plan import Plan
from cyclopolis.report.blocks import Picture, Section
from cyclopolis.report.escape import escape_figure, script_json
from cyclopolis.report.names import Names
from cyclopolis.report.sections import report_sections
from cyclopolis.report.summary import summary_pages

REPORT, SUMMARY = "report.html", "summary.html"
PROVENANCE = ("measured", "user", "seen", "memory", "assumed", "computed")


def write_report(plan: Plan, results: Mapping[str, Result], folder: Path, language: Language | None = None) -> Path:
    """Write ``report.html`` and ``summary.html``.

    Parameters
    ----------
    plan : Plan
        The plan that the results answer.
    results : mapping of str to Result
        Results by engine: ``balance``, ``design``, ``rating``; what is missing is left out of the pages.
    folder : Path
        Where to write.
    language : {"en", "zh"}, optional
        The reader's language; the plan's own by default.

    Returns
    -------
    Path
        The absolute path of the report.
    """
    chosen = language or plan.meta.language
    names = Names(plan, chosen)
    target = folder.absolute()
    write_atomic(target / REPORT, report_page(plan, results, names))
    write_atomic(target / SUMMARY, summary_page(plan, results, names))
    return target / REPORT


def report_page(plan: Plan, results: Mapping[str, Result], names: Names) -> str:
    """Return the report as one HTML text that needs nothing else."""
    sections = report_sections(plan, results, names)
    figures = {picture.name: escape_figure(picture.figure) for picture in _pictures(sections)}
    scripts = [get_plotlyjs(), _template_text("draw.js")] if figures else []
    return _render(
        "report.html.j2",
        plan,
        names,
        sections=sections,
        figures=script_json(figures),
        scripts=scripts,
        policy=_policy(scripts),
    )


def plain_page(plan: Plan, names: Names, sections: tuple[Section, ...]) -> str:
    """Return a page of tables and sentences without figures."""
    return _render(
        "report.html.j2", plan, names, sections=sections, figures=script_json({}), scripts=[], policy=_policy([])
    )


def summary_page(plan: Plan, results: Mapping[str, Result], names: Names) -> str:
    """Return the summary for those who decide as one HTML text that prints on at most two A4 sheets."""
    return _render("summary.html.j2", plan, names, pages=summary_pages(plan, results, names), policy=_policy([]))


def _pictures(sections: tuple[Section, ...]) -> list[Picture]:
    return [block for section in sections for block in section.blocks if isinstance(block, Picture)]


def _policy(scripts: list[str]) -> str:
    """Return a content security policy under which just these scripts run and nothing is loaded from anywhere."""
    hashes = [f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts]
    allowed = " ".join(hashes) or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"


def _template_text(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cyclopolis.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, plan: Plan, names: Names, **values: Any) -> str:  # noqa: ANN401 - what the template names
    language = names.language
    name = plan.meta.name_zh if language == "zh" else plan.meta.name
    return (
        _environment()
        .get_template(template)
        .render(
            language="zh-CN" if language == "zh" else "en",
            say=lambda key, **texts: say(key, language, **texts),
            style=_template_text("style.css"),
            summary_style=_template_text("summary.css"),
            name=name or plan.meta.name or plan.meta.name_zh,
            meta=plan.meta,
            scenario=plan.scenario,
            version=cyclopolis.__version__,
            legend=[
                (code, say(f"provenance_short.{code}", language), say(f"provenance_long.{code}", language))
                for code in PROVENANCE
            ],
            **values,
        )
    )
