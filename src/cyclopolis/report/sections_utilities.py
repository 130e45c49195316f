"""The part of the report on public works."""

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.answers import pictures
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

_BREAKS = ("rank", "rating_scope", "service", "breaks_in", "worst_year", "worst_pct", "short_by", "unit", "provenance")
_HEADROOM = (
    "rating_scope",
    "service",
    "year",
    "capacity",
    "plants",
    "others",
    "headroom",
    "used_pct",
    "unit",
    "provenance",
)


def utilities_blocks(result: Result, names: Names) -> list[Block]:
    """Return what breaks first, and the headroom of every service and year."""
    known = result.columns()
    placed = pl.when(pl.col("scope") != "").then("scope")
    breaks, headroom = (result.tables[name].with_columns(rating_scope=placed) for name in ("breaks", "headroom"))
    return [
        Text(say("report.utilities_intro", names.language)),
        table_block(breaks, View("utilities_breaks", _BREAKS), known["breaks"], names),
        *pictures(result, names),
        table_block(headroom, View("utilities_headroom", _HEADROOM), known["headroom"], names),
    ]
