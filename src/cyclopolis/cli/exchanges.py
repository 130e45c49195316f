"""The commands about exchanges and chains: who fits whom, which links are missing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cyclopolis
from cyclopolis.cli.actions import result_json, show_summary
from cyclopolis.cli.call import Call
from cyclopolis.cli.console import Watch, out, out_json, table_lines
from cyclopolis.foundation.numbers import number_text, quantity_text, unit_text
from cyclopolis.foundation.text import Language, say

if TYPE_CHECKING:
    import polars as pl

    from cyclopolis.foundation.result import Result

_SHOWN = 15
_LISTS = (".csv", ".parquet")


def match(call: Call) -> int:
    """Match the offers and needs of a plan or of a bare list, or score a labelled one."""
    source = Path(call.values["source"])
    if call.values["score"]:
        return _score(call, source)
    options = _options(call)
    if source.suffix.lower() not in _LISTS:
        return _planned(call, source, "match", options)
    folder = Path(call.values["out"]) if call.values["out"] else None
    with Watch(call.quiet, call.interface) as progress:
        asked = cyclopolis.MatchOptions(**options, folder=folder)
        found = cyclopolis.match(source, asked, progress)
        if folder is not None:
            found.save(folder / "match")
    saved = {} if folder is None else {"saved": str(folder / "match")}
    _show(call, found, "match", call.interface, saved)
    return 0


def chains(call: Call) -> int:
    """Rank missing technologies and show how complete each chain is."""
    return _planned(call, call.plan, "chains", {})


def _planned(call: Call, source: Path, engine: str, options: Mapping[str, Any]) -> int:
    with Watch(call.quiet, call.interface) as progress:
        done = cyclopolis.run(source, call.scenario, until=engine, options=options, progress=progress)
    language = call.chosen or done.plan.meta.language
    _show(call, done.results[engine], engine, language, {"saved": str(done.folder / engine)})
    return 0


def _options(call: Call) -> dict[str, Any]:
    names = {"reach": "reach_km", "least_fit": "least_fit", "budget": "budget"}
    return {own: call.values[typed] for typed, own in names.items() if call.values.get(typed) is not None}


def _show(call: Call, found: "Result", engine: str, language: Language, more: Mapping[str, Any]) -> None:
    if call.json:
        out_json({"ok": True, **result_json(found, language, tables=True), **more})
        return
    show_summary(found, language)
    for table, columns in _VIEWS[engine].items():
        rows = found.tables[table].head(_SHOWN)
        if not rows.is_empty():
            out(say(f"cli.{engine}_{table}", language))
            _lines(found, rows, columns, language)
    if "saved" in more:
        out(say("cli.saved_at", language, folder=more["saved"]))


_VIEWS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "match": {
        "matches": ("giver", "taker", "offer", "need", "amount", "unit", "distance_km", "net_gain_cny", "blockers"),
        "rubbish": ("reason", "rows", "samples", "value"),
    },
    "chains": {
        "missing": ("technology", "commodity", "unlocked", "unit", "capex", "jobs", "break_even_gate", "gain_cny"),
        "maps": ("site", "system", "links_standing", "links_planned", "links_missing", "completeness", "anchor"),
        "weak": ("site", "enterprises", "plants", "links", "reason"),
    },
}


_KINDS = {"giver": "plant", "taker": "plant", "anchor": "plant", "offer": "concept", "need": "concept"}
"""Columns whose values are named as those of another kind."""


def _lines(found: "Result", rows: "pl.DataFrame", columns: Sequence[str], language: Language) -> None:
    """Write columns of a table with names, texts of codes and numbers as people read them."""
    names = _names(found, language)
    known = {column.name: column for table in found.columns().values() for column in table}
    headers = [say(f"exchange.{name}", language) for name in columns]
    numeric = [rows.schema[name].is_numeric() for name in columns]
    lines = [
        [_cell(row[name], name, names, known[name].unit, language) for name in columns]
        for row in rows.iter_rows(named=True)
    ]
    for line in table_lines(headers, lines, numeric):
        out(f"  {line}")
    out()


def _names(found: "Result", language: Language) -> Mapping[str, str]:
    column = "name_zh" if language == "zh" else "name"
    return {
        f"{kind}:{item}": name for kind, item, name in found.tables["names"].select("kind", "item", column).iter_rows()
    }


def _cell(value: object, column: str, names: Mapping[str, str], unit: str, language: Language) -> str:
    """Return a cell as people read it."""
    if value is None:
        return "–"
    if isinstance(value, int | float):
        money = unit in ("CNY/a", "million CNY")
        return quantity_text(float(value), unit, language) if money else number_text(float(value))
    text = str(value)
    if column == "blockers":
        return say("exchange.comma", language).join(
            say(f"match.blocker_{code}", language) for code in text.split(";") if code
        )
    if column == "reason":
        return say(f"exchange.reason_{text}", language)
    if column == "site" and not text:
        return say("chains.whole_place", language)
    return unit_text(text, language) if column == "unit" else names.get(f"{_KINDS.get(column, column)}:{text}", text)


def _score(call: Call, source: Path) -> int:
    """Judge a labelled file."""
    score = cyclopolis.score_matches(source)
    if call.json:
        out_json({"ok": True, "parks": score.by_park.to_dicts(), "pairs": score.pairs.to_dicts()})
        return 0
    language = call.interface
    columns = ("park", "pairs", "real", "found", "right", "precision", "recall", "f1")
    rows = [
        [str(row["park"]) if name == "park" else number_text(float(row[name]), 3) for name in columns]
        for row in score.by_park.iter_rows(named=True)
    ]
    headers = [say(f"exchange.{name}", language) for name in columns]
    for line in table_lines(headers, rows, [name != "park" for name in columns]):
        out(f"  {line}")
    return 0
