"""The part of the report on rain and drainage."""

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.answers import pictures
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

_SHOWN = {
    "storms": ("storm", "return_period_a", "depth_mm", "duration_min", "most_mm_h", "origin", "provenance"),
    "variants": (
        "storm",
        "variant",
        "runoff_mm",
        "runoff_coefficient",
        "captured_pct",
        "peak_m3_s",
        "peak_at_h",
        "ss_kg",
        "flooded_m3",
        "surcharged_pipes",
        "cost",
        "pipe_cost",
        "total_cost",
        "cost_provenance",
        "provenance",
    ),
    "capture": ("variant", "storm", "kept_mm", "annual_pct", "ss_removed_pct", "basis", "provenance"),
    "design_depths": ("target_pct", "depth_mm", "basis", "provenance"),
    "measures": ("catchment", "measure", "area_m2", "treated_pct", "cost", "origin", "provenance"),
    "discharges": (
        "storm",
        "variant",
        "outlet",
        "outlet_kind",
        "volume_m3",
        "dry_m3",
        "rain_m3",
        "ss_kg",
        "peak_over_capacity",
        "over_capacity_m3",
    ),
    "separation": ("storm", "outlet", "before_m3", "after_m3", "moved_pct", "to_storm_m3"),
    "nodes": ("storm", "variant", "node", "flooded_h", "flooded_m3", "most_m3_s"),
    "designs": ("design", "cost", "captured_pct", "peak_m3_s", "ss_kg", "flooded_m3"),
}
_OPTIONAL = ("capture", "design_depths", "separation", "designs")
_ROWS = 40


def drainage_blocks(result: Result, names: Names) -> list[Block]:
    """Return what the storms bring in each variant, the measures, the outlets, and the designs that no other beats."""
    known = result.columns()
    blocks: list[Block] = [Text(say("report.drainage_intro", names.language)), *pictures(result, names)]
    for table, columns in _SHOWN.items():
        rows = result.tables[table]
        if table == "designs":
            rows = rows.filter("on_front")
        if table in _OPTIONAL and rows.is_empty():
            continue
        view = View(f"drainage_{table}", columns, rows=_ROWS)
        blocks.append(table_block(rows, view, known[table], names))
    return blocks
