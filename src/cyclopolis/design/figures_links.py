"""Pictures of what flows between sites and chains before and after a design, and of what is built when."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import GREY, PALETTE, faded, label, layout

STATES = ("before", "after")
_LEAST_HEIGHT = 0.25
"""Least share of the picture's height that the smaller of two states gets."""
_BARS = 12
"""Most technologies that have a colour of their own; the others are drawn as one."""


def flow_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[str, Figure]:
    """Return what flows between sites and between chains, each where there are at least two of them.

    Parameters
    ----------
    tables : mapping of polars.DataFrame
        With ``links`` and ``names``.
    language : {"en", "zh"}
    """
    found = {}
    for by in ("site", "chain"):
        links = tables["links"].filter(pl.col("by") == by)
        members = {node for node in [*links["source"], *links["target"]] if node.startswith(f"{by}:")}
        if len(members) > 1:
            found[f"flows_by_{by}"] = flow_figure(links, node_names(tables["names"], language), by, language)
    return found


def node_names(names: pl.DataFrame, language: Language) -> dict[str, str]:
    """Return the name of each node of the links that the plan or the library names."""
    column = "name_zh" if language == "zh" else "name"
    named = dict(names.select(pl.col("kind") + ":" + pl.col("item"), column).iter_rows())
    return {**named, "chain:": say("balance.no_chain", language)}


def flow_figure(links: pl.DataFrame, named: Mapping[str, str], by: str, language: Language) -> Figure:
    """Return two Sankey diagrams side by side, before on the left, heights as the tonnes that flow."""
    totals = [float(links.filter(pl.col("state") == state)["mass_t"].sum()) for state in STATES]
    largest = max(*totals, 1e-9)
    nodes = sorted({*links["source"], *links["target"]})
    inner = [node for node in nodes if not node.startswith("end:")]
    colours = {node: PALETTE[number % len(PALETTE)] for number, node in enumerate(inner)}
    traces, notes = [], []
    for number, (state, total) in enumerate(zip(STATES, totals, strict=True)):
        height = max(total / largest, _LEAST_HEIGHT)
        across = [0.53 * number, 0.47 + 0.53 * number]
        rows = links.filter(pl.col("state") == state)
        domain = {"x": across, "y": [0.5 - height / 2, 0.5 + height / 2]}
        traces.append(_sankey(rows, named, colours, domain, language))
        text = say(f"design.flows_{state}", language, total=quantity_text(total, "t/a", language))
        notes.append({"x": sum(across) / 2, "y": 1.06, "xref": "paper", "yref": "paper", "text": text})
    annotations = [{**note, "showarrow": False, "xanchor": "center", "font": {"size": 12}} for note in notes]
    title = say(f"design.figure_flows_by_{by}", language)
    plain = layout(title, max(420, 22 * len(nodes)), margin={"l": 16, "r": 16, "t": 80, "b": 16})
    return {"data": traces, "layout": {**plain, "annotations": annotations}}


def _sankey(
    rows: pl.DataFrame,
    named: Mapping[str, str],
    colours: Mapping[str, str],
    domain: Mapping[str, list[float]],
    language: Language,
) -> Figure:
    nodes = sorted({*rows["source"], *rows["target"]})
    place = {node: number for number, node in enumerate(nodes)}
    inner = [target if source.startswith("end:") else source for source, target in rows["source", "target"].iter_rows()]
    return {
        "type": "sankey",
        "domain": domain,
        "node": {
            "label": [label(_said(node, named, language)) for node in nodes],
            "color": [colours.get(node, GREY) for node in nodes],
            "pad": 12,
            "thickness": 14,
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [place[node] for node in rows["source"]],
            "target": [place[node] for node in rows["target"]],
            "value": rows["mass_t"].to_list(),
            "color": [faded(colours[node], 0.4) for node in inner],
            "customdata": [quantity_text(mass, "t/a", language) for mass in rows["mass_t"]],
            "hovertemplate": "%{source.label} → %{target.label}<br>%{customdata}<extra></extra>",
        },
    }


def _said(node: str, named: Mapping[str, str], language: Language) -> str:
    kind, _, item = node.partition(":")
    return say(f"balance.end_{item}", language) if kind == "end" else named.get(node, item)


def investments_figure(investments: pl.DataFrame, years: list[int], language: Language) -> Figure:
    """Return the capital of each year of the horizon as bars, one colour for each kind of plant built.

    Parameters
    ----------
    investments : polars.DataFrame
        With ``year``, ``name``, ``name_zh`` and ``capex`` (million CNY).
    years : list of int
        Years of the horizon; one in which nothing is built has no bar.
    language : {"en", "zh"}
    """
    column = "name_zh" if language == "zh" else "name"
    named = investments.select("year", "capex", name=pl.col(column))
    largest = named.group_by("name").agg(pl.col("capex").sort().sum()).sort(["capex", "name"], descending=[True, False])
    shown = largest["name"].to_list()
    shown, rest = (shown, []) if len(shown) <= _BARS else (shown[: _BARS - 1], shown[_BARS - 1 :])
    series = [(name, pl.col("name") == name) for name in shown]
    series += [(say("design.other_builds", language), pl.col("name").is_in(rest))] if rest else []
    traces = []
    for number, (name, which) in enumerate(series):
        spent = dict(named.filter(which).group_by("year").agg(pl.col("capex").sort().sum()).iter_rows())
        traces.append(
            {
                "type": "bar",
                "x": [str(year) for year in years],
                "y": [spent.get(year, 0.0) for year in years],
                "name": label(name),
                "marker": {"color": _colour(number)},
                "hovertemplate": f"{label(name)}<br>%{{x}}: %{{y:,.1f}} "
                + say("design.axis_capital", language)
                + "<extra></extra>",
            }
        )
    return {
        "data": traces,
        "layout": layout(
            say("design.figure_investments", language),
            420,
            barmode="stack",
            xaxis={"type": "category"},
            yaxis={"title": {"text": say("design.axis_capital", language)}},
            margin={"l": 64, "r": 16, "t": 56, "b": 40},
            legend={"traceorder": "normal"},
        ),
    }


def _colour(number: int) -> str:
    """Return the colour of a series: the palette once in full, then paler."""
    base = PALETTE[number % len(PALETTE)]
    return base if number < len(PALETTE) else faded(base, 0.5)
