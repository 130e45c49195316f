"""The parts of the report on who fits whom and which links are missing."""

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.answers import pictures, tiles
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

MATCHES = (
    "giver",
    "taker",
    "offer",
    "need",
    "basis",
    "amount",
    "unit",
    "distance_km",
    "saved_purchase_cny",
    "saved_disposal_cny",
    "transport_cny",
    "net_gain_cny",
    "status_cn",
    "status_eu",
    "blockers",
    "provenance",
)
TAKERS = ("concept", "amount", "unit", "technology", "stands", "takes_at_reference", "max_share_pct", "provenance")
MISSING = (
    "technology",
    "site",
    "commodity",
    "unlocked",
    "unit",
    "share_pct",
    "capex",
    "jobs",
    "water_m3",
    "power_mwh",
    "break_even_gate",
    "gain_cny",
    "provenance",
)
SINKS = ("commodity", "stranded", "plant", "takes_low", "takes", "takes_high", "unit", "share_pct", "provenance")
MAPS = (
    "chain_place",
    "system",
    "plants",
    "links_standing",
    "links_planned",
    "links_missing",
    "completeness",
    "linkage",
    "anchor",
)
WEAK = ("site", "enterprises", "industries", "plants", "links", "weak_reason")
_ROWS = 30


def match_blocks(result: Result, names: Names) -> list[Block]:
    """Return the best pairs, what stands in their way, and which technologies take what is unused."""
    known = result.columns()
    fresh = result.tables["matches"].filter(~pl.col("stands"))
    return [
        Text(say("report.match_intro", names.language)),
        tiles(result, names),
        *pictures(result, names),
        table_block(fresh, View("matches", MATCHES, rows=_ROWS), known["matches"], names),
        table_block(result.tables["takers"], View("takers", TAKERS, rows=_ROWS), known["takers"], names),
    ]


def chain_blocks(result: Result, names: Names) -> list[Block]:
    """Return the missing technologies, what sinks can take, the chains of each park, parks that share nothing."""
    known, tables = result.columns(), result.tables
    place = pl.when(pl.col("site") != "").then("site")
    maps = tables["maps"].with_columns(chain_place=place)
    weak = tables["weak"].rename({"reason": "weak_reason"})
    return [
        Text(say("report.chains_intro", names.language)),
        tiles(result, names),
        *pictures(result, names),
        table_block(tables["missing"], View("missing", MISSING, rows=_ROWS), known["missing"], names),
        table_block(tables["sinks"], View("sinks", SINKS, rows=_ROWS), known["sinks"], names),
        table_block(maps, View("chain_maps", MAPS, rows=60, provenance="computed"), known["maps"], names),
        table_block(weak, View("weak", WEAK, provenance="computed"), known["weak"], names),
    ]
