"""The part of the report on the trade-offs between economy, environment and society."""

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.answers import pictures
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

POINTS = ("point", "economy", "environment", "society", "choice", "gap", "closeness", "builds", "capex")
RISK = ("point", "dimension", "planned", "mean", "sd", "value_at_risk", "cvar", "regret_mean", "regret_max", "failed")
ROBUST = ("plant", "points", "share", "verdict")


def pareto_blocks(result: Result, names: Names) -> list[Block]:
    """Return the trade-offs as pictures and as a table, and which builds they share."""
    known, language = result.columns(), names.language
    points = result.tables["points"].with_columns(
        choice=pl.col("choice").map_elements(lambda name: say(f"front.choice_{name}", language), pl.String)
    )
    robust = result.tables["robust"].with_columns(
        verdict=pl.col("verdict").map_elements(lambda name: say(f"front.verdict_{name}", language), pl.String)
    )
    return [
        Text(say("front.report_intro", language)),
        *pictures(result, names),
        table_block(points, View("front_points", POINTS, provenance="computed"), known["points"], names),
        table_block(robust, View("front_robust", ROBUST, provenance="computed"), known["robust"], names),
        *_risk_blocks(result, names),
        Text(say("front.report_note", language)),
    ]


def _risk_blocks(result: Result, names: Names) -> list[Block]:
    """Return what the trade-offs of note come to under draws, where they were drawn."""
    risk = result.tables["risk"].with_columns(
        dimension=pl.col("dimension").map_elements(lambda name: say(f"dimensions.{name}", names.language), pl.String)
    )
    view = View("front_risk", RISK, provenance="computed")
    return [] if risk.is_empty() else [table_block(risk, view, result.columns()["risk"], names)]
