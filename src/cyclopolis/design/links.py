"""What flows between the sites and between the chains of a plan, and in and out of the place, before and after."""

import polars as pl

from cyclopolis.design.pose import Posed
from cyclopolis.industry.metabolism.figures_tables import SOURCE, TARGET
from cyclopolis.industry.metabolism.flow_tables import flows_table
from cyclopolis.network.model import Flows
from cyclopolis.network.names import pick

_KEYS = ("by", "state", "source", "target")


def links_table(posed: Posed, after: Flows) -> pl.DataFrame:
    """Return tonnes per year from one site or chain to another, or to and from outside, in both states.

    Materials and emissions count (utilities have no mass of their own); flows inside one site or chain are left out.

    Parameters
    ----------
    posed : Posed
        With the target year's network and base state.
    after : Flows
        The designed state of the target year.
    """
    network = posed.network
    counted = network.commodities.filter(pl.col("kind").is_in(["material", "emission"]))
    plants = pl.DataFrame(
        {
            "plant": pl.Series(network.plant_ids, dtype=pl.String),
            "site": "site:" + pick(network.site_ids, network.plants.site),
            "chain": "chain:" + pick(network.chain_ids, network.chain[network.plants.technology]).fill_null(""),
        }
    )
    parts = []
    for state, flows in (("before", posed.problem.base), ("after", after)):
        rows = flows_table(network, flows, base=False).join(counted, on="commodity", how="semi")
        ends = rows.join(plants, left_on="from_plant", right_on="plant", how="left").join(
            plants, left_on="to_plant", right_on="plant", how="left", suffix="_to"
        )
        parts += [
            ends.select(
                pl.lit(by).alias("by"),
                pl.lit(state).alias("state"),
                source=pl.coalesce(by, "end:" + pl.col("kind").replace(SOURCE)),
                target=pl.coalesce(f"{by}_to", "end:" + pl.col("kind").replace(TARGET)),
                mass_t="mass_t",
            )
            for by in ("site", "chain")
        ]
    links = pl.concat(parts).filter((pl.col("source") != pl.col("target")) & (pl.col("mass_t") > 0))
    return links.group_by(_KEYS).agg(pl.col("mass_t").sort().sum()).sort(_KEYS)
