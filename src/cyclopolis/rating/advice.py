"""What to say about a place: strengths, weaknesses, opportunities, threats, and ten ranked recommendations.

Every sentence is drafted from the rating's tables with its numbers in it. The drafts can be written to a file, edited
there, and are read back: a sentence that was changed stays as changed, one that was not follows the numbers.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cyclopolis.foundation.files import write_atomic
from cyclopolis.foundation.numbers import number_text, unit_text
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import LANGUAGES, Language, Message, message, say
from cyclopolis.plan.schema import quantities
from cyclopolis.rating.peers import lessons

KINDS = ("strength", "weakness", "opportunity", "threat", "recommendation")
ADVICE_FILE = "advice.csv"
_MOST = {"strength": 5, "weakness": 5, "opportunity": 5, "threat": 5, "recommendation": 10}
_NARROW = 0.05
_RANKED, _FEWEST_RANKED = 0.7, 3
"""Widest interval of a dimension that is ranked, and how many of them it takes."""
_COLUMNS = ("id", "kind", "keep", "text", "text_zh", "draft", "draft_zh")


@dataclass(frozen=True)
class Sentence:
    """One drafted sentence: its kind, a lasting id, and its text with the numbers behind it."""

    kind: str
    id: str
    text: Message
    framework: str = ""
    indicator: str = ""


def draft(tables: Mapping[str, list[dict[str, Any]]], scope: str, others: Mapping[str, pl.DataFrame]) -> list[Sentence]:
    """Draft the sentences about one scope.

    Parameters
    ----------
    tables : mapping of name to rows
        ``indicators``, ``frameworks``, ``scores``, ``gaps`` and ``peers`` of the rating.
    scope : str
    others : mapping of name to table
        Tables of the design where there is one: ``builds``, ``limits``, ``proposed``, ``plants``, ``names``.
    """
    called = _called(others)
    own = {name: [row for row in rows if row.get("scope") == scope] for name, rows in tables.items()}
    titles = {row["framework"]: _both(row["title"], row["title_zh"]) for row in own["frameworks"]}
    found = [
        *_strengths(own, titles),
        *_weaknesses(own, titles),
        *_opportunities(own, titles, others, called),
        *_threats(own, titles, others, called),
        *_recommendations(own, titles, others),
    ]
    kept: list[Sentence] = []
    for one in found:
        same = [other for other in kept if other.kind == one.kind]
        if len(same) < _MOST[one.kind] and all(other.id != one.id for other in same):
            kept.append(one)
    return kept


def _called(others: Mapping[str, pl.DataFrame]) -> dict[str, Message]:
    """Return what plants, commodities and quantities are called."""
    found = {name: _both(one.en, one.zh) for name, one in quantities().items()}
    for name, key in (("names", "item"), ("plants", "plant")):
        table = others.get(name)
        rows = () if table is None else table.iter_rows(named=True)
        found |= {row[key]: _both(row["name"] or row[key], row["name_zh"]) for row in rows}
    return found


def _both(en: str, zh: str | None) -> Message:
    return message("rating.title", en=en, zh=zh or en)


def _name(row: Mapping[str, Any]) -> Message:
    return _both(row["name"], row["name_zh"])


def _amount(value: float | None, unit: str) -> Message:
    text = number_text(value)
    units = {language: f"{text} {unit_text(unit, language)}".strip() for language in LANGUAGES}
    return _both(units["en"], units["zh"])


def _share(value: float) -> str:
    return number_text(100 * value, 3)


def _strengths(own: Mapping[str, list[dict[str, Any]]], titles: Mapping[str, Message]) -> list[Sentence]:
    met = [row for row in own["indicators"] if row["status_before"] == "met" and row["reached_before"] is not None]
    found = [
        Sentence(
            "strength",
            f"met:{row['indicator']}",
            message(
                "advice.strength_met",
                name=_name(row),
                value=_amount(row["value_before"], row["unit"] or ""),
                mark=_amount(row["threshold_before"], row["unit"] or ""),
                ratio=number_text(row["reached_before"], 3),
                framework=titles[row["framework"]],
            ),
            row["framework"],
            row["indicator"],
        )
        for row in sorted(met, key=lambda row: (-row["reached_before"], row["indicator"]))
    ]
    return [*_peer_sentences(own, best=True), *_one_per_name(found, own)]


def _peer_sentences(own: Mapping[str, list[dict[str, Any]]], *, best: bool) -> list[Sentence]:
    """Say where the place is first or last among at least three known ones."""
    names = {row["indicator"]: row for row in own["indicators"]}
    edge = 100.0 if best else 0.0
    return [
        Sentence(
            "strength" if best else "weakness",
            f"peer:{row['indicator']}",
            message(
                "advice.peer_best" if best else "advice.peer_worst",
                name=_name(names[row["indicator"]]),
                places=row["places"],
                reached=_share(row["attainment"]),
            ),
            row["framework"],
            row["indicator"],
        )
        for row in own["peers"]
        if row["places"] >= 3 and row["percentile"] == edge
    ][:2]


def _one_per_name(found: Sequence[Sentence], own: Mapping[str, list[dict[str, Any]]]) -> list[Sentence]:
    """Keep the first of indicators that share a formula, so that one fact is said once."""
    formulas = {row["indicator"]: row["formula"] or row["indicator"] for row in own["indicators"]}
    seen: set[str] = set()
    kept = []
    for one in found:
        key = formulas.get(one.indicator, one.indicator)
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


def _weaknesses(own: Mapping[str, list[dict[str, Any]]], titles: Mapping[str, Message]) -> list[Sentence]:
    rows = sorted(own["gaps"], key=lambda row: (-row["obstacle"] * row["share"], row["indicator"]))
    found = [
        Sentence(
            "weakness",
            f"gap:{row['indicator']}",
            message(
                "advice.weakness_gap" if row["threshold"] is not None else "advice.weakness_missed",
                name=_name(row),
                value=_amount(row["value"], row["unit"] or ""),
                mark=_amount(row["threshold"], row["unit"] or ""),
                distance=_amount(row["distance"] and abs(row["distance"]), row["unit"] or ""),
                obstacle=_share(row["obstacle"]),
                framework=titles[row["framework"]],
            ),
            row["framework"],
            row["indicator"],
        )
        for row in rows
    ]
    return [*_dimensions(own, titles), *_peer_sentences(own, best=False), *_one_per_name(found, own)]


def _dimensions(own: Mapping[str, list[dict[str, Any]]], titles: Mapping[str, Message]) -> list[Sentence]:
    """Name the two weakest dimensions of a framework, by the middle of their share, where enough is known to rank."""
    found = []
    for framework, title in titles.items():
        rows = [row for row in own["scores"] if row["framework"] == framework and row["dimension"] is not None]
        rows = [row for row in rows if row["share_low_before"] is not None]
        rows = [row for row in rows if row["share_high_before"] - row["share_low_before"] < _RANKED]
        rows.sort(key=lambda row: (row["share_low_before"] + row["share_high_before"], row["dimension"]))
        for rank, row in enumerate(rows[:2] if len(rows) >= _FEWEST_RANKED else (), start=1):
            text = message(
                "advice.weakness_dimension",
                name=_both(row["dimension_name"], row["dimension_name_zh"]),
                low=_share(row["share_low_before"]),
                high=_share(row["share_high_before"]),
                framework=title,
                rank=rank,
                count=len(rows),
                origin=message(f"advice.origin_{row['origin_before']}"),
            )
            found.append(Sentence("weakness", f"dimension:{framework}:{row['dimension']}", text, framework))
    return found


def _changed(kind: str, word: str, row: Mapping[str, Any], titles: Mapping[str, Message]) -> Sentence:
    """Return what is said of an indicator whose status the design changes."""
    text = message(
        f"advice.{kind}_{word}",
        name=_name(row),
        before=_amount(row["value_before"], row["unit"] or ""),
        after=_amount(row["value_after"], row["unit"] or ""),
        framework=titles[row["framework"]],
    )
    return Sentence(kind, f"{word}:{row['indicator']}", text, row["framework"], row["indicator"])


def _opportunities(
    own: Mapping[str, list[dict[str, Any]]],
    titles: Mapping[str, Message],
    others: Mapping[str, pl.DataFrame],
    called: Mapping[str, Message],
) -> list[Sentence]:
    closed = [row for row in own["indicators"] if row["status_before"] != "met" and row.get("status_after") == "met"]
    found = [_changed("opportunity", "closed", row, titles) for row in closed]
    links = others.get("proposed")
    if links is not None:
        chosen = links.filter(pl.col("status") == "found").sort("found", descending=True)
        found += [
            Sentence(
                "opportunity", f"link:{_link(row)}", message("advice.opportunity_link", **_link_values(row, called))
            )
            for row in chosen.iter_rows(named=True)
        ]
    return _one_per_name(found, own)


def _link(row: Mapping[str, Any]) -> str:
    return f"{row['from_plant']}>{row['to_plant']}:{row['commodity']}"


def _link_values(row: Mapping[str, Any], called: Mapping[str, Message]) -> dict[str, object]:
    amount = row["found"] or row["amount"]
    return {
        "giver": called.get(row["from_plant"], row["from_plant"]),
        "taker": called.get(row["to_plant"], row["to_plant"]),
        "commodity": called.get(row["commodity"], row["commodity"]),
        "amount": _amount(amount, row["unit"] or ""),
    }


def _threats(
    own: Mapping[str, list[dict[str, Any]]],
    titles: Mapping[str, Message],
    others: Mapping[str, pl.DataFrame],
    called: Mapping[str, Message],
) -> list[Sentence]:
    found = [
        _changed("threat", "worse", row, titles)
        for row in own["indicators"]
        if row["status_before"] == "met" and row.get("status_after") == "not_met"
    ]
    limits = others.get("limits")
    if limits is not None:
        for row in limits.filter(pl.col("binding")).iter_rows(named=True):
            values = {
                "quantity": called.get(row["quantity"], row["quantity"]),
                "bound": _amount(row["bound"], row["unit"]),
            }
            text = message("advice.threat_limit", **values, after=_amount(row["after"], row["unit"]))
            found.append(Sentence("threat", f"limit:{row['scope'] or ''}:{row['quantity']}", text))
    links = others.get("proposed")
    if links is not None:
        missing = links.filter(~pl.col("status").is_in(["found", "tied", "not_chosen"]))
        for row in missing.iter_rows(named=True):
            text = message("advice.threat_link", **_link_values(row, called), reason=row["status"])
            found.append(Sentence("threat", f"link:{_link(row)}", text))
    for row in own["indicators"]:
        margin = (row["reached_before"] or 0.0) - 1
        if row["status_before"] == "met" and 0 <= margin < _NARROW:
            values = {"name": _name(row), "margin": _share(margin), "framework": titles[row["framework"]]}
            text = message("advice.threat_narrow", **values, value=_amount(row["value_before"], row["unit"] or ""))
            found.append(Sentence("threat", f"narrow:{row['indicator']}", text, row["framework"], row["indicator"]))
    return [*_one_per_name([one for one in found if one.indicator], own), *(one for one in found if not one.indicator)]


def _recommendations(
    own: Mapping[str, list[dict[str, Any]]], titles: Mapping[str, Message], others: Mapping[str, pl.DataFrame]
) -> list[Sentence]:
    """Return what to do: the design, costed measures by points per CNY, missing data, other gaps, a lesson."""
    found = _design(own, others)
    costed = [row for row in own["gaps"] if row.get("measure")]
    found += _one_per_name([_measure(row, titles) for row in sorted(costed, key=lambda row: row["rank"])], own)
    found += _missing_data(own, titles)
    for row in sorted(own["gaps"], key=lambda row: row["rank"]):
        if not row.get("measure") and not row.get("closed"):
            values = {"name": _name(row), "share": _share(row["share"]), "framework": titles[row["framework"]]}
            text = message("advice.recommend_gap", **values, value=_amount(row["value"], row["unit"] or ""))
            found.append(
                Sentence("recommendation", f"gap:{row['indicator']}", text, row["framework"], row["indicator"])
            )
    return [*found[: _MOST["recommendation"] - 1], _lesson(own)]


def _design(own: Mapping[str, list[dict[str, Any]]], others: Mapping[str, pl.DataFrame]) -> list[Sentence]:
    closed = [row for row in own["gaps"] if row.get("closed")]
    builds = others.get("builds")
    if not closed or builds is None:
        return []
    names = _both(
        ", ".join(row["name"] for row in closed[:3]), "、".join(row["name_zh"] or row["name"] for row in closed[:3])
    )
    capital = _amount(float(builds["capex"].sum()), "million CNY")
    values = {"builds": builds.height, "capital": capital, "unpriced": builds["capex"].null_count()}
    return [
        Sentence(
            "recommendation", "design", message("advice.recommend_design", **values, count=len(closed), names=names)
        )
    ]


def _measure(row: Mapping[str, Any], titles: Mapping[str, Message]) -> Sentence:
    text = message(
        "advice.recommend_measure",
        measure=_both(row["measure_name"], row["measure_name_zh"]),
        change=_amount(abs(row["change"]), row["change_unit"]),
        low=number_text(row["cost_low"], 3),
        high=number_text(row["cost_high"], 3),
        name=_name(row),
        value=_amount(row["value"], row["unit"] or ""),
        mark=_amount(row["threshold"], row["unit"] or ""),
        share=_share(row["share"]),
        framework=titles[row["framework"]],
    )
    return Sentence("recommendation", f"measure:{row['indicator']}", text, row["framework"], row["indicator"])


def _missing_data(own: Mapping[str, list[dict[str, Any]]], titles: Mapping[str, Message]) -> list[Sentence]:
    """Name the frameworks of which something is known, the widest interval first."""
    wholes = [row for row in own["scores"] if row["dimension"] is None and row["share_low_before"] is not None]
    wholes = [row for row in wholes if 0 < row["best_before"] - row["earned_before"] < row["possible"]]
    found = []
    for row in sorted(wholes, key=lambda row: (row["earned_before"] - row["best_before"]) / row["possible"])[:3]:
        rows = [one for one in own["indicators"] if one["framework"] == row["framework"] and one["missing_before"]]
        names = list(dict.fromkeys(name for one in rows for name in one["missing_before"].split("; ")))
        share = (row["best_before"] - row["earned_before"]) / row["possible"]
        values = {"count": len(names), "first": ", ".join(names[:5]), "share": _share(share)}
        text = message("advice.recommend_data", **values, framework=titles[row["framework"]])
        found.append(Sentence("recommendation", f"data:{row['framework']}", text, row["framework"]))
    return found


def _lesson(own: Mapping[str, list[dict[str, Any]]]) -> Sentence:
    """Return the lesson of a published case for the axis that is weakest in the last known state."""
    last = own["states"][-1] if own.get("states") else {}
    known = {axis: last[axis] for axis in ("economy", "environment", "society") if last.get(axis) is not None}
    axis = min(known, key=lambda one: known[one]) if known else "environment"
    case = next(one for one in lessons() if one["axis"] == axis)
    index = number_text(known.get(axis), 3)
    values = {"case": _both(case["name"], case["name_zh"]), "lesson": _both(case["en"], case["zh"]), "index": index}
    text = message("advice.recommend_lesson", axis=message(f"advice.axis_{axis}"), **values, source=case["source"])
    return Sentence("recommendation", f"lesson:{case['case']}", text)


def advice_rows(
    sentences: Iterable[Sentence], scope: str, edits: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return the rows of the table ``advice``, a user's changes laid over the drafts and own sentences added."""
    rows: list[dict[str, Any]] = []
    used: set[str] = set()
    for one in sentences:
        key = f"{one.kind}:{one.id}"
        used.add(key)
        edit = edits.get(key, {})
        if edit.get("keep", "").strip().lower() in {"no", "否", "0"}:
            continue
        drafts: dict[Language, str] = {language: one.text.render(language) for language in LANGUAGES}
        en, en_new = _chosen(edit, "", drafts["en"])
        zh, zh_new = _chosen(edit, "_zh", drafts["zh"])
        rows.append(_row(scope, one.kind, key, en, zh, edited=en_new or zh_new) | _places(one))
    for key, edit in edits.items():
        kind = edit.get("kind", "").strip()
        if key not in used and kind in KINDS and not edit.get("draft") and (edit.get("text") or edit.get("text_zh")):
            text, text_zh = edit.get("text") or edit["text_zh"], edit.get("text_zh") or edit["text"]
            rows.append(_row(scope, kind, key, text, text_zh, edited=True))
    rows.sort(key=lambda row: KINDS.index(row["kind"]))
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["kind"]] = seen.get(row["kind"], 0) + 1
        row["rank"] = seen[row["kind"]]
    return rows


def _places(one: Sentence) -> dict[str, Any]:
    return {"framework": one.framework or None, "indicator": one.indicator or None}


def _chosen(edit: Mapping[str, str], end: str, fresh: str) -> tuple[str, bool]:
    """Return the user's text where it was changed against its draft, else the fresh draft."""
    text = edit.get(f"text{end}", "")
    changed = bool(text) and text != edit.get(f"draft{end}", "")
    return (text if changed else fresh), changed


def _row(scope: str, kind: str, key: str, text: str, text_zh: str, *, edited: bool) -> dict[str, Any]:
    return {"scope": scope, "kind": kind, "id": key, "text": text, "text_zh": text_zh, "edited": edited}


def write_advice(folder: Path, advice: pl.DataFrame) -> Path:
    """Write the sentences to ``advice.csv`` in a folder, to be edited; changes made before are kept.

    Change ``text`` or ``text_zh``, write ``no`` under ``keep`` to drop a sentence, or add rows with a new ``id`` and a
    ``kind``. Leave the columns ``draft`` alone: they tell what was changed.
    """
    path = folder / ADVICE_FILE
    edits = read_advice(folder)
    rows = []
    for row in advice.iter_rows(named=True):
        old = edits.pop(row["id"], {})
        drafts = (old.get("draft", ""), old.get("draft_zh", "")) if row["edited"] else (row["text"], row["text_zh"])
        rows.append((row["id"], row["kind"], old.get("keep") or "yes", row["text"], row["text_zh"], *drafts))
    dropped = [one for one in edits.values() if one.get("keep", "").strip().lower() in {"no", "否", "0"}]
    rows += [tuple(one.get(name, "") for name in _COLUMNS) for one in dropped]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_COLUMNS, *rows])
    write_atomic(path, "\ufeff" + stream.getvalue())
    return path


def read_advice(folder: Path) -> dict[str, dict[str, str]]:
    """Read the edited sentences by id; none where there is no file.

    Raises
    ------
    UserError
        If the file lacks a column or cannot be read.
    """
    path = folder / ADVICE_FILE
    if not path.is_file():
        return {}
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError([Problem(message("advice.unreadable", reason=str(error)), file=str(path))]) from error
    missing = [name for name in ("id", "kind", "text", "text_zh") if rows and name not in rows[0]]
    if missing:
        raise UserError([Problem(message("advice.columns", missing=", ".join(missing)), file=str(path), row=1)])
    wrong = [number for number, row in enumerate(rows, start=2) if (row["kind"] or "").strip() not in KINDS]
    if wrong:
        text = message("framework.not_choice", value=rows[wrong[0] - 2]["kind"], choices=", ".join(KINDS))
        raise UserError([Problem(text, file=str(path), row=wrong[0], column="kind")])
    return {row["id"]: {key: value or "" for key, value in row.items() if key} for row in rows}


def kind_text(kind: str, language: Language) -> str:
    """Return a kind of sentence in words.

    Examples
    --------
    >>> kind_text("threat", "en")
    'Threats'
    """
    return say(f"advice.kind_{kind}", language)
