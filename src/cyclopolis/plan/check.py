"""What one cell alone cannot show: rows against each other, against the years, and against the library.

Every check is null-tolerant: a row that a reader already refused is left out of the tables, and what refers to it says
nothing, so that one mistake gives one message.
"""

from collections.abc import Mapping
from itertools import chain

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library
from cyclopolis.plan import (
    check_drainage,
    check_layers,
    check_links,
    check_networks,
    check_relations,
    check_rows,
    check_sections,
    check_sense,
    check_stocks,
    check_subsidies,
)
from cyclopolis.plan.headers import TextTable
from cyclopolis.plan.model import PlanMeta


def cross_check(
    meta: PlanMeta | None,
    texts: Mapping[str, TextTable],
    frames: Mapping[str, pl.DataFrame],
    library: Library,
    *,
    complete: bool,
) -> list[Problem]:
    """Return what is wrong, or worth knowing, between the tables of a plan.

    Parameters
    ----------
    meta : PlanMeta or None
        The plan's keys; None when they could not be read, and the years are not checked then.
    texts : mapping of TextTable
        The tables as written, for the places of problems.
    frames : mapping of polars.DataFrame
        Typed tables in the schema's units with ``@row`` and ``@place``, without rows that were refused.
    library : Library
        With the user's rows laid over it.
    complete : bool
        Whether no row was refused; what only a whole plan can tell (a surplus with nowhere to go) is else left out.

    Returns
    -------
    list of Problem
    """
    base_year = meta.base_year if meta else None
    found = chain(
        check_rows.check_sites(texts["sites"], frames["sites"], library.grid_factors),
        check_rows.check_plants(texts["plants"], frames, base_year),
        check_rows.check_costs(texts["plants"], frames["plants"], library.technologies),
        check_rows.check_bounds(texts, frames),
        check_rows.check_markets(texts["markets"], frames["markets"]),
        check_rows.check_exclusions(texts["exclusions"], frames),
        check_rows.check_indicators(texts["indicators"], frames["indicators"]),
        check_rows.check_targets(texts["targets"], frames["targets"], base_year),
        check_stocks.check_stocks(texts["stocks"], frames["stocks"]),
        check_links.check_measurements(texts["measurements"], frames, library),
        check_relations.check_measurement_ids(texts["measurements"], frames["measurements"]),
        check_relations.check_correlations(texts["correlations"], frames["correlations"]),
        check_relations.check_relations(texts["relations"], frames["relations"]),
        check_layers.check_stock_changes(texts["stock_changes"], frames, library),
        check_layers.check_concentrations(texts["concentrations"], frames, library),
        check_layers.check_years(texts, frames),
        check_links.check_exchanges(texts["exchanges"], frames, library),
        check_links.check_stores(texts["stores"], frames, library),
        check_links.check_recipes(texts, frames, library),
        check_subsidies.check_subsidies(texts["subsidies"], frames),
        check_drainage.check_drainage(texts, frames),
        check_sections.check_monitoring(texts, frames, library),
        check_sections.check_air(texts["air_quality"], frames["air_quality"], library),
        check_sections.check_grids(texts["grids"], frames["grids"]),
        check_sections.check_suitability(texts["suitability"], frames["suitability"]),
        check_sense.check_opex(texts["plants"], frames["plants"], library.technologies),
        check_sense.check_years(texts, frames, base_year),
        check_sense.check_budget(texts["limits"], frames["limits"]),
        check_sense.check_limits(texts["limits"], frames),
        check_sense.check_gifts(texts["markets"], frames["markets"]),
        check_sense.check_loops(texts, frames, library),
        check_sense.check_factors(texts, frames, library),
        check_networks.check_operations(texts["operations"], frames["operations"]),
        check_networks.check_supplies(texts["supplies"], frames),
        check_networks.check_heat_streams(texts["heat_streams"], frames["heat_streams"]),
        check_networks.check_heat_utilities(texts["heat_utilities"], frames),
    )
    problems = list(found)
    if complete and all(problem.severity == "notice" for problem in problems):
        problems += check_links.check_surplus(texts["plants"], frames, library)
    return problems
