"""Pictures of the balance as plain Plotly data, each drawn from the table of its own name."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language
from cyclopolis.industry.metabolism.figures_map import map_figure
from cyclopolis.industry.metabolism.figures_residual import residual_figure
from cyclopolis.industry.metabolism.figures_sankey import sankey
from cyclopolis.industry.metabolism.figures_stocks import stocks_figure

SANKEYS = ("links_by_chain", "links_by_site", "links_by_group", "links_by_commodity")
"""Tables that are drawn as Sankey diagrams."""


def balance_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[str, Figure]:
    """Return the pictures of a balance by the name of the table that each is drawn from.

    The Sankey diagrams show what counts in the mass balance (materials and emissions, in tonnes); flows that stay
    inside one chain or site are left out. What goes in and does not come out is drawn as unaccounted for.
    """
    found = {name: sankey(name, tables, language) for name in SANKEYS}
    found["residuals"] = residual_figure(tables, language)
    found["network_map"] = map_figure(tables, language)
    if tables["stocks"].height:
        found["stocks"] = stocks_figure(tables, language)
    return found
