"""Where plants buy and sell: the plan's rows, and the few that follow from what stands today."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.network.candidates import provenance_codes
from cyclopolis.network.model import BUY, SELL, Bools, Floats, Ints, Markets, Trades
from cyclopolis.network.places import floats, positions
from cyclopolis.plan import provenance

_SCHEMA = {
    "commodity": pl.Int64,
    "site": pl.Int64,
    "direction": pl.Int64,
    "price": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "implied": pl.Boolean,
    "provenance": pl.String,
    "price_range": pl.Float64,
    "volume_range": pl.Float64,
}


@dataclass(frozen=True)
class Doors:
    """What the markets must know of each port (J,): commodity, site, output or input, and whether it may trade at all.

    ``standing`` marks ports of existing plants, ``product`` their main outputs and what has no lawful way out.
    """

    commodity: Ints
    site: Ints
    output: Bools
    tradable: Bools
    standing: Bools
    product: Bools


def market_rows(
    markets: pl.DataFrame, commodity_ids: tuple[str, ...], site_ids: tuple[str, ...], year: int
) -> pl.DataFrame:
    """Return one row per price that holds in ``year``: of each commodity, place and direction the newest rows."""
    base = markets.with_columns(
        commodity=pl.Series(positions(commodity_ids, markets["commodity"])),
        position=pl.Series(positions(site_ids, markets["site"])),
        provenance=provenance(pl.col("source")),
        year=pl.col("year").fill_null(-1),
    ).filter((pl.col("commodity") >= 0) & (pl.col("year") <= year))
    parts = []
    for direction, price, low, high in (
        (BUY, "buy_price", pl.col("buy_min").fill_null(0.0), pl.col("buy_max")),
        (SELL, "sell_price", pl.col("sell_min").fill_null(0.0), pl.col("sell_max")),
    ):
        rows = base.filter(pl.col(price).is_not_null())
        rows = rows.filter(pl.col("year") == pl.col("year").max().over("commodity", "position"))
        parts.append(
            rows.select(
                "commodity",
                site="position",
                direction=pl.lit(direction, dtype=pl.Int64),
                price=pl.col(price),
                low=low,
                high=high.fill_null(float("inf")),
                implied=pl.lit(value=False),
                provenance="provenance",
                price_range=pl.col("price_range_pct") / 100,
                volume_range=pl.col("volume_range_pct") / 100,
            )
        )
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts]).sort(
        "commodity", "site", "direction", "price", "low", "high", "provenance", "price_range", "volume_range"
    )


def open_trades(rows: pl.DataFrame, doors: Doors, site: Ints, holder: Ints) -> pl.DataFrame:
    """Return (port, market) for every port and market row that it can use, sorted.

    Parameters
    ----------
    rows : polars.DataFrame
        Markets by position.
    doors : Doors
    site, holder : (N,) int
        All pairs of a site and a place that holds it.
    """
    ports = pl.DataFrame(
        {
            "port": np.arange(doors.commodity.size),
            "commodity": doors.commodity,
            "stands": doors.site,
            "direction": np.where(doors.output, SELL, BUY),
        }
    ).filter(pl.Series(doors.tradable, dtype=pl.Boolean))
    market = rows.with_columns(market=pl.int_range(pl.len(), dtype=pl.Int64))
    everywhere = market.filter(pl.col("site") < 0).join(ports, on=["commodity", "direction"])
    nested = pl.DataFrame({"stands": site, "site": holder})
    local = (
        market.filter(pl.col("site") >= 0)
        .join(ports, on=["commodity", "direction"])
        .join(nested, on=["stands", "site"], how="semi")
    )
    return pl.concat([everywhere.select("port", "market"), local.select("port", "market")]).sort("port", "market")


def implied_rows(doors: Doors, served: Bools, surplus: Floats, prices: pl.DataFrame) -> pl.DataFrame:
    """Return the markets that follow without a row of the plan.

    An input without any row is bought outside at the library's high price (never below 0: that somebody pays for
    taking it must be said in a row). What existing plants make as a product (their main one, or what has no other
    lawful way out) and no row lets them sell is sold outside at the library's low price, at most as much as they
    together have left today.

    Parameters
    ----------
    doors : Doors
    served : (J,) bool
        Ports that can use a row of the plan.
    surplus : (J,) float
        What each output port has left in the base year after exchanges and own use.
    prices : polars.DataFrame
        Columns price_low, price_high, provenance, by commodity position.
    """
    low, high = floats(prices["price_low"]), floats(prices["price_high"])
    lacking = doors.tradable & ~served
    bought = np.unique(doors.commodity[lacking & ~doors.output])
    bought = bought[np.isfinite(high[bought])]
    sold = np.unique(doors.commodity[lacking & doors.product])
    mine = lacking & doors.product
    volume = np.bincount(doors.commodity[mine], weights=surplus[mine], minlength=low.size)
    sold = sold[volume[sold] > 0]
    kinds = np.repeat([BUY, SELL], [bought.size, sold.size])
    commodity = np.concatenate((bought, sold)).astype(np.int64)
    return pl.DataFrame(
        {
            "commodity": commodity,
            "site": np.full(commodity.size, -1),
            "direction": kinds.astype(np.int64),
            "price": np.concatenate((np.maximum(high[bought], 0.0), low[sold])),
            "low": np.zeros(commodity.size),
            "high": np.concatenate((np.full(bought.size, np.inf), volume[sold])),
            "implied": np.ones(commodity.size, dtype=bool),
            "provenance": prices["provenance"].gather(commodity),
            "price_range": pl.Series([None] * commodity.size, dtype=pl.Float64),
            "volume_range": pl.Series([None] * commodity.size, dtype=pl.Float64),
        },
        schema=_SCHEMA,
    ).sort("commodity", "direction")


def finish_markets(
    explicit: pl.DataFrame, implied: pl.DataFrame, trades: pl.DataFrame, doors: Doors, served: Bools
) -> tuple[Markets, Trades]:
    """Join the plan's and the implied markets; the implied ones serve only ports without a row of the plan."""
    lacking = Doors(doors.commodity, doors.site, doors.output, doors.tradable & ~served, doors.standing, doors.product)
    none = np.zeros(0, dtype=np.int64)
    extra = open_trades(implied, lacking, none, none).with_columns(pl.col("market") + explicit.height)
    rows = pl.concat([explicit, implied])
    links = pl.concat([trades, extra]).sort("port", "market")
    return (
        Markets(
            commodity=rows["commodity"].to_numpy(),
            site=rows["site"].to_numpy(),
            direction=rows["direction"].to_numpy(),
            price=floats(rows["price"]),
            volume_min=floats(rows["low"]),
            volume_max=floats(rows["high"]),
            implied=rows["implied"].to_numpy(),
            provenance=provenance_codes(rows["provenance"]),
            price_range=floats(rows["price_range"]),
            volume_range=floats(rows["volume_range"]),
        ),
        Trades(port=links["port"].to_numpy(), market=links["market"].to_numpy()),
    )
