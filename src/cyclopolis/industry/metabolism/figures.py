"""Pictures of the balance as plain Plotly data: who gives how many tonnes to whom."""

from collections.abc import Mapping
from html import escape

import polars as pl

from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say

LARGEST = 30
"""Most commodities drawn one by one; the others are drawn as one."""
_GROUP, _END, _ALARM = "#1f6f78", "#8a949b", "#c0392b"
_LINK, _ALARM_LINK = "rgba(31,111,120,0.30)", "rgba(192,57,43,0.45)"
_SOURCE = {"purchase": "bought", "natural": "nature", "unplaced": "no_source"}
_TARGET = {"sale": "sold", "unplaced": "no_way_out", "natural": "nature"}
_ALARMS = ("no_source", "no_way_out", "unaccounted", "excess")
_LINKS = {"source": pl.String, "target": pl.String, "tonnes": pl.Float64}


def balance_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[str, Figure]:
    """Return the Sankey diagrams of a balance: ``chains``, ``sites`` and ``commodities``.

    Only what counts in the mass balance is drawn (materials and emissions, in tonnes); flows that stay inside one
    chain or site are left out. The difference between what goes in and comes out is drawn as unaccounted.
    """
    counted = tables["commodities"].filter(pl.col("kind").is_in(["material", "emission"]))
    flows = tables["flows"].join(counted, on="commodity", how="semi").filter(pl.col("mass_t") > 0)
    ports = tables["ports"].join(counted, on="commodity", how="semi")
    plants = tables["plants"]
    chain = plants.select("plant", group="chain:" + pl.col("chain").fill_null(""))
    site = plants.select("plant", group="site:" + pl.col("site"))
    labels = _labels(tables, language)
    return {
        name: _sankey(links, labels, say(f"balance.figure_{name}", language))
        for name, links in (
            ("chains", _by_group(flows, ports, chain)),
            ("sites", _by_group(flows, ports, site)),
            ("commodities", _by_commodity(flows)),
        )
    }


def _by_group(flows: pl.DataFrame, ports: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return links between groups of plants and the ends of the place, and each group's difference."""
    ends = flows.join(members.rename({"plant": "from_plant", "group": "giver"}), on="from_plant", how="left").join(
        members.rename({"plant": "to_plant", "group": "taker"}), on="to_plant", how="left"
    )
    links = ends.select(
        source=pl.coalesce("giver", _end(_SOURCE)),
        target=pl.coalesce("taker", _end(_TARGET)),
        tonnes="mass_t",
    )
    sign = pl.when(pl.col("direction") == "in").then(pl.col("mass_t")).otherwise(-pl.col("mass_t"))
    gap = ports.join(members, on="plant").group_by("group").agg(gap=sign.sum(), size=pl.col("mass_t").sum())
    gap = gap.filter(pl.col("gap").abs() > 1e-6 * pl.col("size"))
    more, less = pl.col("gap") < 0, pl.col("gap") > 0
    gaps = gap.select(
        source=pl.when(less).then(pl.col("group")).otherwise(pl.lit("end:excess")),
        target=pl.when(more).then(pl.col("group")).otherwise(pl.lit("end:unaccounted")),
        tonnes=pl.col("gap").abs(),
    )
    return _summed(pl.concat([links, gaps]).filter(pl.col("source") != pl.col("target")))


def _by_commodity(flows: pl.DataFrame) -> pl.DataFrame:
    """Return links from where each commodity comes, through the commodity, to where it goes."""
    total = (
        flows.group_by("commodity").agg(pl.col("mass_t").sum()).sort(["mass_t", "commodity"], descending=[True, False])
    )
    shown = total.head(LARGEST)["commodity"].implode()
    node = (
        pl.when(pl.col("commodity").is_in(shown))
        .then("commodity:" + pl.col("commodity"))
        .otherwise(pl.lit("end:others"))
    )
    named = flows.with_columns(node=node)
    made = pl.when(pl.col("from_plant").is_not_null()).then(pl.lit("end:made")).otherwise(_end(_SOURCE))
    used = pl.when(pl.col("to_plant").is_not_null()).then(pl.lit("end:used")).otherwise(_end(_TARGET))
    return _summed(
        pl.concat(
            [
                named.select(source=made, target="node", tonnes="mass_t"),
                named.select(source="node", target=used, tonnes="mass_t"),
            ]
        )
    )


def _end(words: Mapping[str, str]) -> pl.Expr:
    """Return the end of the place where a flow of each kind starts or stops; a way out keeps its own name."""
    return "end:" + pl.col("kind").replace(dict(words))


def _summed(links: pl.DataFrame) -> pl.DataFrame:
    table = pl.concat([pl.DataFrame(schema=_LINKS), links])
    return table.group_by("source", "target").agg(pl.col("tonnes").sort().sum()).sort("source", "target")


def _labels(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, str]:
    """Return the name of every node; Plotly reads labels as HTML, so the plan's own names are escaped."""
    column = "name_zh" if language == "zh" else "name"
    named = tables["names"].select(pl.col("kind") + ":" + pl.col("item"), column)
    goods = tables["commodities"].select("commodity:" + pl.col("commodity"), column)
    labels = {key: escape(name, quote=False) for key, name in (*named.iter_rows(), *goods.iter_rows())}
    ends = (
        *sorted({*_SOURCE.values(), *_TARGET.values()}),
        *("emit", "vent", "flare", "discharge", "treat", "landfill"),
        *("unaccounted", "excess", "made", "used", "others"),
    )
    return {
        **labels,
        "chain:": say("balance.no_chain", language),
        **{f"end:{e}": say(f"balance.end_{e}", language) for e in ends},
    }


def _sankey(links: pl.DataFrame, labels: Mapping[str, str], title: str) -> Figure:
    """Return a Sankey diagram as plain data; nodes in the order of their keys."""
    nodes = sorted({*links["source"].to_list(), *links["target"].to_list()})
    place = {node: index for index, node in enumerate(nodes)}
    alarms = {f"end:{name}" for name in _ALARMS}
    pairs = list(zip(links["source"].to_list(), links["target"].to_list(), strict=True))
    return {
        "data": [
            {
                "type": "sankey",
                "arrangement": "snap",
                "valueformat": ",.3s",
                "valuesuffix": " t",
                "node": {
                    "label": [labels.get(node, escape(node.partition(":")[2], quote=False)) for node in nodes],
                    "color": [
                        _ALARM if node in alarms else _END if node.startswith("end:") else _GROUP for node in nodes
                    ],
                    "pad": 14,
                    "thickness": 16,
                },
                "link": {
                    "source": [place[source] for source, _ in pairs],
                    "target": [place[target] for _, target in pairs],
                    "value": links["tonnes"].to_list(),
                    "color": [_ALARM_LINK if alarms & {*pair} else _LINK for pair in pairs],
                },
            }
        ],
        "layout": {
            "title": {"text": title},
            "font": {"size": 12},
            "height": max(420, 24 * len(nodes)),
            "margin": {"l": 16, "r": 16, "t": 56, "b": 16},
        },
    }
