"""The rating engine: every framework, every indicator that can be answered, before and after the design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import read_columns
from cyclopolis.foundation.numbers import number_text
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, Message, message
from cyclopolis.library.frameworks import Framework, load_frameworks
from cyclopolis.library.frameworks.glossary import glossary
from cyclopolis.plan.model import Plan
from cyclopolis.rating.advice import advice_rows, draft, read_advice
from cyclopolis.rating.assessment import assessment_folder, evidence, reviews
from cyclopolis.rating.attainment import attainment
from cyclopolis.rating.figures import distance_figure, status_figure
from cyclopolis.rating.gaps import gap_rows, ranked
from cyclopolis.rating.indicators import Rated, State, rate_indicator, state_of
from cyclopolis.rating.peers import neighbour_rows, peer_rows
from cyclopolis.rating.pictures import cube_figure, gap_figure, radar_figure, radar_framework
from cyclopolis.rating.ranking import ranking_rows
from cyclopolis.rating.rows import framework_rows, indicator_rows, input_rows, level_rows, statuses
from cyclopolis.rating.state import state_rows
from cyclopolis.rating.totals import Total, score_rows, total_of
from cyclopolis.rating.values import WHOLE, Values, gather_values

_PACKAGE = "cyclopolis.rating"


@dataclass(frozen=True)
class Rating(Result):
    """What the frameworks say of a place: the tables indicators, frameworks, levels and inputs of ``columns.csv``."""

    engine: ClassVar[str] = "rating"
    columns_package: ClassVar[str] = _PACKAGE

    @property
    def focus(self) -> str:
        """Scope of which most is known (empty: the whole plan), the one that summary and figures show."""
        return _focus(self.tables["frameworks"])

    def _focus_name(self) -> Message:
        names = self.facts["scopes"][self.focus]
        return _title(names["en"], names["zh"])

    def summary(self) -> tuple[Line, ...]:
        """Return how many indicators of each framework are met in `focus`, and how many rest on memory."""
        table = self.tables["frameworks"].filter(pl.col("scope") == self.focus)
        lines = []
        for row in table.iter_rows(named=True):
            if row["met_before"] + row["not_met_before"] + row["reported_before"] + (row["met_after"] or 0) == 0:
                continue
            title = _title(row["title"], row["title_zh"])
            of = f"/ {row['indicators']}"
            lines.append(Line(message("rating.met_before", framework=title), row["met_before"], of))
            if row["met_after"] is not None:
                lines.append(Line(message("rating.met_after", framework=title), row["met_after"], of))
            lines += self._score_lines(row["framework"], title)
        lines += self._published_lines()
        judged = self.tables["indicators"].filter(
            (pl.col("scope") == self.focus) & pl.col("status_before").is_in(["met", "not_met"])
        )
        lines.append(Line(message("rating.judged"), judged.height, f"/ {table['indicators'].sum()}"))
        memory = judged.filter(pl.col("threshold_provenance") == "memory").height
        lines.append(Line(message("rating.memory_targets"), memory, f"/ {judged.height}"))
        return tuple(lines)

    def _score_lines(self, framework: str, title: Message) -> list[Line]:
        """Return the share of the points from the worst to the best case, with what of it rests on recalled marks."""
        table = self.tables["scores"].filter(
            (pl.col("scope") == self.focus) & (pl.col("framework") == framework) & pl.col("dimension").is_null()
        )
        row = table.row(0, named=True)
        found = []
        for state in ("before", "after"):
            low, high, memory = (row[f"{name}_{state}"] for name in ("share_low", "share_high", "memory"))
            if low is None or memory is None:
                continue
            values = {"framework": title, "memory": number_text(100 * memory, 3), "state": message(f"rating.{state}")}
            found.append(Line(message("rating.score", **values), _percent(low, high)))
        return found

    def _published_lines(self) -> list[Line]:
        """Return the shares of dimensions that somebody published, the weakest first."""
        table = self.tables["scores"].filter(
            (pl.col("scope") == self.focus)
            & (pl.col("origin_before") == "published")
            & pl.col("dimension").is_not_null()
        )
        middle = pl.col("share_low_before") + pl.col("share_high_before")
        titles = {
            row["framework"]: _title(row["title"], row["title_zh"])
            for row in self.tables["frameworks"].iter_rows(named=True)
        }
        return [
            Line(
                message(
                    "rating.published_share",
                    framework=titles[row["framework"]],
                    dimension=_title(row["dimension_name"], row["dimension_name_zh"]),
                ),
                _percent(row["share_low_before"], row["share_high_before"]),
                provenance="user",
            )
            for row in table.sort(middle, "dimension").iter_rows(named=True)
        ]

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return statuses by framework, distances to targets, and where known radar, gaps and the path in the cube."""
        scope, name = self.focus, self._focus_name()
        found = {
            "statuses": status_figure(self.tables["frameworks"], scope, name, language),
            "distances": distance_figure(self.tables["indicators"], scope, name, language),
        }
        shown = radar_framework(self.tables["scores"], scope)
        if shown is not None:
            row = self.tables["frameworks"].filter(pl.col("framework") == shown).row(0, named=True)
            title = _title(row["title"], row["title_zh"]).render(language)
            found["radar"] = radar_figure(self.tables["scores"], scope, title, shown, language)
        if self.tables["gaps"].filter(pl.col("scope") == scope).height:
            found["gaps"] = gap_figure(self.tables["gaps"], scope, name, language)
        states = self.tables["states"]
        if states.drop_nulls(["economy", "environment", "society"]).height:
            found["cube"] = cube_figure(states, _called(self.facts["scopes"], language), name, language)
        return found


def _called(scopes: Mapping[str, Mapping[str, str]], language: Language) -> dict[str, str]:
    return {scope: names[language] for scope, names in scopes.items()}


def _percent(low: float, high: float) -> str:
    """Return an interval of shares in percent."""
    ends = [number_text(100 * share, 3) for share in (low, high)]
    return f"{ends[0]} %" if ends[0] == ends[1] else f"{ends[0]}–{ends[1]} %"


def _title(en: str, zh: str | None) -> Message:
    return message("rating.title", en=en, zh=zh or en)


def rate(
    plan: Plan,
    quantities: pl.DataFrame | None = None,
    frameworks: Sequence[str] | None = None,
    others: Mapping[str, pl.DataFrame] | None = None,
) -> Rating:
    """Judge a place by every framework, before and after the design.

    A value comes from the plan's ``indicators`` table, else from its other tables, else from the engines. After the
    design the engines' change is laid over given values; what no engine touches is carried. What is missing stays
    unknown.

    Parameters
    ----------
    plan : Plan
        The place. Frameworks of its own may stand in its folder ``frameworks`` as YAML files.
    quantities : polars.DataFrame, optional
        What the engines found: ``state`` (before, after), ``scope`` (site; empty for the whole), ``quantity``,
        ``value``, and if known ``provenance``. Without rows of state ``after`` nothing is said about a design.
    frameworks : sequence of str, optional
        Ids of the frameworks to use; all by default.
    others : mapping of name to table, optional
        Tables of the design that the advice speaks of: ``builds``, ``limits``, ``proposed``.

    Returns
    -------
    Rating

    Raises
    ------
    UserError
        If a framework is unknown or malformed, or a value of the indicators table has a unit that does not fit.
    """
    own = plan.folder / "frameworks"
    chosen = _choose(load_frameworks(own if own.is_dir() else None), frameworks)
    inputs = glossary(chosen)
    plan = _reviewed(plan)
    values = gather_values(plan, inputs, quantities)
    before = state_of(values, inputs, after=False)
    designed = bool(values.after)
    states = {"before": before, **({"after": state_of(values, inputs, after=True)} if designed else {})}
    rated = {
        state: {
            (framework.id, one.id): rate_indicator(one, inputs, before, numbers)
            for framework in chosen
            for one in framework.indicators
        }
        for state, numbers in states.items()
    }
    totals = {one.id: _totals(one, values, states, rated) for one in chosen}
    tables = {
        "indicators": [row for one in chosen for row in indicator_rows(one, values, rated)],
        "frameworks": [row for one in chosen for row in framework_rows(one, values, rated)],
        "levels": [row for one in chosen for row in level_rows(one, values, rated, totals[one.id])],
        "scores": [row for one in chosen for row in score_rows(one, values.scopes, totals[one.id])],
        "states": state_rows(plan, chosen, inputs, values.scopes, rated),
        "inputs": input_rows(chosen, inputs, values),
    }
    gaps = [row for one in chosen for row in gap_rows(one, values.scopes, inputs, states, rated)]
    tables |= {"gaps": ranked(gaps), **_compared(chosen, values.scopes, rated["before"])}
    scope = _focus(_table("frameworks", tables["frameworks"]))
    folder = assessment_folder(plan.folder)
    tables["advice"] = advice_rows(draft(tables, scope, others or {}), scope, read_advice(folder))
    tables["evidence"] = list(evidence(plan.folder))
    facts = {
        "base_year": plan.meta.base_year,
        "designed": designed,
        "frameworks": [one.id for one in chosen],
        "scopes": _scope_names(plan, values.scopes),
        "notices": [problem.as_dict("en") for problem in values.notices],
    }
    return Rating({name: _table(name, rows) for name, rows in tables.items()}, facts, dict(plan.inputs))


def _scope_names(plan: Plan, scopes: Sequence[str]) -> dict[str, dict[str, str]]:
    names = {WHOLE: {"en": plan.meta.name, "zh": plan.meta.name_zh or plan.meta.name}}
    for row in plan.tables["sites"].filter(pl.col("site").is_in(list(scopes))).iter_rows(named=True):
        english = row["name"] or row["site"]
        names[row["site"]] = {"en": english, "zh": row["name_zh"] or english}
    return names


def _choose(known: Mapping[str, Framework], wanted: Sequence[str] | None) -> tuple[Framework, ...]:
    if wanted is None:
        return tuple(known.values())
    text = message("rating.unknown_framework", known=", ".join(known))
    problems = [Problem(text, value=one) for one in wanted if one not in known]
    if problems:
        raise UserError(problems)
    return tuple(known[one] for one in dict.fromkeys(wanted))


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {column.name: column.dtype for column in read_columns(_PACKAGE)[name]}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _focus(frameworks: pl.DataFrame) -> str:
    known = (
        frameworks.group_by("scope")
        .agg(known=pl.sum_horizontal("met_before", "not_met_before", "reported_before").sum())
        .sort(["known", "scope"], descending=[True, False])
    )
    return str(known["scope"].first() or WHOLE)


def _reviewed(plan: Plan) -> Plan:
    """Return the plan with the experts' values behind its own, so that they count."""
    rows = [
        {
            "site": row["site"],
            "name": row["name"],
            "year": int(row["year"]),
            "value": float(row["value"]),
            "unit": row["unit"],
            "source": f"review by {row['who']}: {row['comment']}",
        }
        for row in reviews(plan.folder)
    ]
    if not rows:
        return plan
    given = plan.tables["indicators"]
    table = pl.concat([given, pl.DataFrame(rows, schema=given.schema, orient="row")])
    return replace(plan, tables={**plan.tables, "indicators": table})


def _compared(
    frameworks: Sequence[Framework], scopes: tuple[str, ...], rated: Mapping[tuple[str, str], Rated]
) -> dict[str, list[dict[str, Any]]]:
    """Compare the sites of the plan with each other, the whole plan left out."""
    places = [place for place, scope in enumerate(scopes) if scope != WHOLE]
    indicators = [one for framework in frameworks for one in framework.indicators]
    if len(places) < 2 or not indicators:
        return {"peers": [], "neighbours": [], "ranking": []}
    reached = np.stack([attainment(one, rated[one.framework, one.id])[places] for one in indicators], axis=1)
    names = [scopes[place] for place in places]
    rows = peer_rows(names, [one.framework for one in indicators], [one.id for one in indicators], reached)
    return {"peers": rows, "neighbours": neighbour_rows(names, reached), "ranking": ranking_rows(names, reached)}


def _totals(
    framework: Framework,
    values: Values,
    states: Mapping[str, State],
    rated: Mapping[str, Mapping[tuple[str, str], Rated]],
) -> dict[str, Total]:
    return {
        state: total_of(framework, statuses(framework, rated[state]), numbers.values, len(values.scopes))
        for state, numbers in states.items()
    }
