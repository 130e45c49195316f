"""The commands that look things up in the library."""

from typing import TYPE_CHECKING

import cyclopolis
from cyclopolis.cli.call import Call
from cyclopolis.cli.console import out, out_json, table_lines
from cyclopolis.foundation.numbers import number_text
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.text import Language, catalogue, say

if TYPE_CHECKING:
    import polars as pl


def search(call: Call) -> int:
    """Find commodities and technologies by name in both languages."""
    words = " ".join(call.values["words"])
    found = cyclopolis.search_library(words)
    if call.json:
        out_json({"ok": True, "query": words, "found": found.to_dicts()})
    elif found.is_empty():
        out(say("cli.library_nothing", call.interface, words=words))
    else:
        _show(found, ("kind", "id", "name", "name_zh"), call.interface)
    return 0


def show(call: Call) -> int:
    """Show a technology's recipe with ranges, sources and closure."""
    sheet = cyclopolis.technology_sheet(cyclopolis.load_library(), call.values["entry"])
    if call.json:
        out_json({"ok": True, **{name: table.to_dicts() for name, table in sheet.items()}})
        return 0
    language = call.interface
    head = sheet["technology"].row(0, named=True)
    out(f"{head['technology']}: {head['name']} / {head['name_zh']}")
    out(say("cli.library_per", language, unit=head["unit"], commodity=head["main_commodity"]))
    columns: dict[str, tuple[str, ...]] = {
        "recipe": (
            "direction", "commodity", "name" if language == "en" else "name_zh", "role", "amount", "low", "high",
            "unit", "provenance",
        ),
        "closure": ("mass_in", "mass_out", "mass_gap_pct", "carbon_in", "carbon_out", "carbon_gap_pct", "closed"),
        "substitutions": ("commodity", "displaced", "ratio", "max_share_pct", "kind", "provenance"),
        "sources": ("about", "provenance", "rows", "source"),
    }  # fmt: skip
    for name, shown in columns.items():
        out()
        out(say(f"cli.library_{name}", language))
        if sheet[name].is_empty():
            out(f"  {say('cli.library_none', language)}")
        else:
            _show(sheet[name], shown, language)
    reason = sheet["closure"]["reason" if language == "en" else "reason_zh"].item()
    if reason:
        out()
        out(say("cli.library_reason", language, reason=reason))
    return 0


def gaps(call: Call) -> int:
    """List what nobody makes or takes."""
    found = cyclopolis.chain_gaps(cyclopolis.load_library())
    if call.json:
        out_json({"ok": True, "gaps": found.to_dicts()})
    else:
        _show(found, ("gap", "commodity", "name", "name_zh", "kind", "fate"), call.interface)
    return 0


def list_all(call: Call) -> int:
    """List the rows of one of the library's tables."""
    tables = cyclopolis.load_library().tables()
    kind = call.values["kind"]
    if kind not in tables:
        raise user_error("cli.library_kind", kind=kind, kinds=", ".join(tables))
    table = tables[kind]
    if call.json:
        out_json({"ok": True, kind: table.to_dicts()})
    else:
        names = [column for column in (table.columns[0], "name", "name_zh", "unit", "chain") if column in table.columns]
        shown = names if len(names) > 1 else [column for column in table.columns if column not in ("source", "note")]
        _show(table, shown, call.interface)
    return 0


def _show(table: "pl.DataFrame", columns: tuple[str, ...] | list[str], language: Language) -> None:
    """Write columns of a table with headers in the user's language."""
    numeric = [table.schema[name].is_numeric() for name in columns]
    headers = [_header(name, language) for name in columns]
    rows = [[_cell(value, language) for value in row] for row in table.select(columns).iter_rows()]
    for line in table_lines(headers, rows, numeric):
        out(f"  {line}")


def _header(column: str, language: Language) -> str:
    key = f"header.{column}"
    return say(key, language) if key in catalogue() else column


def _cell(value: object, language: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return say("cli.yes" if value else "cli.no", language)
    if isinstance(value, int | float):
        return number_text(float(value))
    return str(value)
