"""Sankey diagrams of a balance: who gives how many tonnes to whom, what is unaccounted for among it."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import ALARM, GREY, MAIN, PALETTE, faded, label, layout, names
from cyclopolis.industry.metabolism.figures_look import spread_text as said
from cyclopolis.industry.metabolism.figures_tables import SOURCE, TARGET

LARGEST = 30
"""Most commodities drawn one by one; the others are drawn as one."""
GROUPS = ("solid", "fuel", "liquid", "gas", "solid_waste", "emission", "natural")
"""Groups of commodities, in the order of their colours."""
_ALARMS = ("end:no_source", "end:no_way_out", "end:unaccounted", "end:excess")
_WAYS_OUT = ("emit", "vent", "flare", "discharge", "treat", "landfill")


def sankey(name: str, tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the Sankey diagram of one of the tables ``links_by_chain``, ``_site``, ``_group`` or ``_commodity``.

    Parameters
    ----------
    name : str
        Name of the table.
    tables : mapping of polars.DataFrame
        Tables of the balance.
    language : {"en", "zh"}
    """
    links = _folded(tables[name]) if name == "links_by_commodity" else tables[name]
    labels = _labels(tables, language)
    nodes = sorted({*links["source"].to_list(), *links["target"].to_list()})
    place = {node: index for index, node in enumerate(nodes)}
    rows = links.rows(named=True)
    return {
        "data": [
            {
                "type": "sankey",
                "arrangement": "snap",
                "valueformat": ",.3s",
                "valuesuffix": " t",
                "node": {
                    "label": [labels.get(node) or label(node.partition(":")[2]) for node in nodes],
                    "color": [_colour(node) for node in nodes],
                    "pad": 14,
                    "thickness": 16,
                    "hovertemplate": "%{label}<br>%{value}<extra></extra>",
                },
                "link": {
                    "source": [place[row["source"]] for row in rows],
                    "target": [place[row["target"]] for row in rows],
                    "value": links["mass_t"].to_list(),
                    "color": [_link_colour(row["source"], row["target"]) for row in rows],
                    "customdata": [
                        [
                            quantity_text(row["mass_t"], "t/a", language),
                            said(row["sd_t"], "t/a", row["unknown"], language),
                        ]
                        for row in rows
                    ],
                    "hovertemplate": "%{source.label} → %{target.label}<br>%{customdata[0]}<br>%{customdata[1]}"
                    "<extra></extra>",
                },
            }
        ],
        "layout": layout(say(f"picture.{name}", language), max(420, 24 * len(nodes))),
    }


def _folded(links: pl.DataFrame) -> pl.DataFrame:
    """Return the links with all but the largest commodities as one."""
    good = pl.col("node").str.starts_with("commodity:")
    ends = pl.concat([links.select(pl.col(side).alias("node"), "mass_t") for side in ("source", "target")])
    total = ends.filter(good).group_by("node").agg(pl.col("mass_t").sort().sum())
    shown = total.sort(["mass_t", "node"], descending=[True, False]).head(LARGEST)["node"].to_list()
    both = [
        pl.when(pl.col(side).str.starts_with("commodity:") & ~pl.col(side).is_in(shown))
        .then(pl.lit("end:others"))
        .otherwise(pl.col(side))
        .alias(side)
        for side in ("source", "target")
    ]
    deviation = pl.when(pl.col("sd_t").count() > 0).then((pl.col("sd_t").sort() ** 2).sum().sqrt())
    return (
        links.with_columns(both)
        .group_by("source", "target")
        .agg(pl.col("mass_t").sort().sum(), deviation.alias("sd_t"), pl.col("unknown").sum())
        .sort("source", "target")
    )


def _colour(node: str) -> str:
    """Return the colour of a node: red for what is unaccounted for, grey for ends, its own for a group."""
    if node in _ALARMS:
        return ALARM
    kind, _, item = node.partition(":")
    if kind == "group":
        return PALETTE[GROUPS.index(item)]
    return GREY if kind == "end" else MAIN


def _link_colour(source: str, target: str) -> str:
    """Return the colour of a link: red to or from what is unaccounted for, else that of its group or chain."""
    if source in _ALARMS or target in _ALARMS:
        return faded(ALARM, 0.45)
    inner = target if source.startswith("end:") else source
    return faded(_colour(inner), 0.3)


def _labels(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, str]:
    """Return the name of every node."""
    ends = (
        *sorted({*SOURCE.values(), *TARGET.values()}),
        *_WAYS_OUT,
        *("unaccounted", "excess", "made", "used", "others"),
    )
    return {
        **{key: label(name) for key, name in names(tables, language).items()},
        "chain:": say("balance.no_chain", language),
        **{f"end:{end}": say(f"balance.end_{end}", language) for end in ends},
        **{f"group:{group}": say(f"picture.group_{group}", language) for group in GROUPS},
    }
