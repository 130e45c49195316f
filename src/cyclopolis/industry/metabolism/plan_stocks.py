"""Stocks of a plan: what stands, comes in and goes out year by year, with its uncertainty."""

from typing import Any, Literal

import numpy as np
import polars as pl

from cyclopolis.foundation.problems import UserError, user_error
from cyclopolis.industry.metabolism.accounts import PLACE
from cyclopolis.industry.metabolism.spread_draws import HALF_RANGE
from cyclopolis.industry.metabolism.stocks import Floats, Lifetime, StockModel, inflow_driven, stock_driven
from cyclopolis.network import Network
from cyclopolis.network.model import PROVENANCE
from cyclopolis.network.places import ancestry
from cyclopolis.plan import Plan, provenance

ITEMS = ("inflow", "outflow", "stock", "change")
"""What the table says of every year, in order; ``change`` is inflow less outflow."""
Moment = Literal["start", "middle", "end"]
_STEP = 1e-6
_SHARED = ("site", "commodity", "lifetime_kind", "lifetime_mean", "lifetime_sd", "lifetime_shape", "lifetime_scale")
_SCHEMA = {
    "stock": pl.String,
    "site": pl.String,
    "commodity": pl.String,
    "driven_by": pl.String,
    "year": pl.Int64,
    "item": pl.String,
    "value": pl.Float64,
    "sd": pl.Float64,
    "low95": pl.Float64,
    "high95": pl.Float64,
    "unit": pl.String,
    "provenance": pl.String,
}


def stock_series(
    years: Floats, given: Floats, sd: Floats, lifetime: Lifetime, entry: Moment, *, from_stock: bool
) -> tuple[Floats, Floats]:
    """Return inflow, outflow, stock and change of one stock, and their standard uncertainties.

    Parameters
    ----------
    years : (t,) array
    given : (t,) array
        Inflow per year, or what stands at the end of each year.
    sd : (t,) array
        Standard uncertainty of ``given``; NaN where it is not known.
    lifetime : Lifetime
    entry : {"start", "middle", "end"}
        When in its year a cohort enters.
    from_stock : bool
        Whether ``given`` is the stock. A stock that falls faster than its cohorts die lets nothing in, and older
        cohorts leave before their time.

    Returns
    -------
    (4, t) array, (4, t) array
        Values and standard uncertainties in the order of `ITEMS`; an uncertainty is NaN where a year that it rests on
        has none.

    Notes
    -----
    Linear propagation (JCGM 100:2008, equation 10), years independent of each other: the derivatives by every year's
    number come from one run of the model with a product for each of them.

    Examples
    --------
    Two years of 100 t, each known to 10 per cent, stand for more than two years:

    >>> life = Lifetime("fixed", mean=5.0)
    >>> value, sd = stock_series(np.arange(2.0), np.full(2, 100.0), np.full(2, 10.0), life, "end", from_stock=False)
    >>> value[2].tolist(), sd[2].round(3).tolist()
    ([100.0, 200.0], [10.0, 14.142])
    """
    largest = float(np.max(np.abs(given), initial=0.0)) or 1.0
    step = largest * (_STEP if from_stock else 1.0)
    runs = np.concatenate([given[:, None], given[:, None] + step * np.eye(given.size)], axis=1)
    model: StockModel = (
        stock_driven(years, runs, lifetime, entry, never_negative=True)
        if from_stock
        else inflow_driven(years, runs, lifetime, entry)
    )
    parts = np.stack([model.inflow, model.outflow, model.stock, model.inflow - model.outflow])
    slope = (parts[:, :, 1:] - parts[:, :, :1]) / step
    slope[np.abs(slope) < 1e-9] = 0.0
    moved = np.where(slope == 0, 0.0, slope * sd)
    return parts[:, :, 0], np.sqrt((moved**2).sum(axis=2))


def stocks_table(plan: Plan) -> pl.DataFrame:
    """Return every stock of the plan year by year, as documented in ``columns.csv``.

    Raises
    ------
    UserError
        If nothing of a cohort stands at the end of its own year, so that no inflow can hold the stock.
    """
    tables = [pl.DataFrame(schema=_SCHEMA)]
    units = dict(plan.library.commodities.select("commodity", "unit").iter_rows())
    rows = plan.tables["stocks"].with_columns(weak=provenance(pl.col("source"))).sort("stock", "year")
    for (stock,), mine in rows.group_by("stock", maintain_order=True):
        tables.append(_one_stock(str(stock), mine, units))
    return pl.concat(tables)


def _one_stock(stock: str, rows: pl.DataFrame, units: dict[str, str]) -> pl.DataFrame:
    """Return the table's rows of one stock."""
    said: dict[str, Any] = {name: rows[name].drop_nulls().first() for name in (*_SHARED, "entry")}
    from_stock = rows["inflow"][0] is None
    given = rows["amount" if from_stock else "inflow"].to_numpy()
    sd = rows["uncertainty_pct"].fill_null(float("nan")).to_numpy() / 100.0 * given
    names = ("mean", "sd", "shape", "scale")
    lifetime = Lifetime(said["lifetime_kind"], **{name: said[f"lifetime_{name}"] for name in names})
    years = rows["year"].to_numpy().astype(np.float64)
    try:
        value, spread = stock_series(years, given, sd, lifetime, said["entry"], from_stock=from_stock)
    except UserError as error:
        raise user_error("stocks.no_survivor", stock=stock, reason=error.problems[0].text) from error
    weakest = max(rows["weak"].to_list(), key=PROVENANCE.index)
    unit = units[said["commodity"]]
    count = rows.height
    amount, doubt = pl.Series("value", value.T.ravel()), pl.Series("sd", spread.T.ravel()).fill_nan(None)
    return pl.DataFrame(
        {
            "stock": [stock] * (count * len(ITEMS)),
            "site": pl.Series([said["site"]] * (count * len(ITEMS)), dtype=pl.String),
            "commodity": said["commodity"],
            "driven_by": "stock" if from_stock else "inflow",
            "year": np.repeat(rows["year"].to_numpy(), len(ITEMS)),
            "item": list(ITEMS) * count,
            "value": amount,
            "sd": doubt,
            "low95": amount - HALF_RANGE * doubt,
            "high95": amount + HALF_RANGE * doubt,
            "unit": [unit if item == "stock" else f"{unit}/a" for item in ITEMS] * count,
            "provenance": weakest,
        }
    )


def with_commodities(commodities: pl.DataFrame, stocks: pl.DataFrame, library: pl.DataFrame) -> pl.DataFrame:
    """Return the network's commodities and those of stocks that no plant touches, in order."""
    more = library.filter(pl.col("commodity").is_in(stocks["commodity"].implode()))
    other = more.join(commodities, on="commodity", how="anti").select(commodities.columns)
    return pl.concat([commodities, other]).sort("commodity") if other.height else commodities


def with_stock_change(
    details: pl.DataFrame, stocks: pl.DataFrame, network: Network, library: pl.DataFrame, moves: pl.DataFrame
) -> pl.DataFrame:
    """Return the detailed accounts with the change of stocks in the base year.

    Stocks that stand for years (``stocks``) belong to the place and its sites, stores of plants to every scope.

    Parameters
    ----------
    details : polars.DataFrame
        Table ``details``; its item ``stock_change`` is unknown (null) before.
    stocks : polars.DataFrame
        Table ``stocks``.
    network : Network
    library : polars.DataFrame
        All commodities, with their mass ``t_per_unit``.
    moves : polars.DataFrame
        Movements of the flows, those into and out of store among them.

    Notes
    -----
    A scope to which no stock of the base year belongs stays unknown. So does the change of a stock in the first year
    of a series of stocks, in which all that stood before would count as new.
    """
    first = pl.col("year").min().over("stock")
    held = (
        stocks.with_columns(first=first)
        .filter((pl.col("item") == "change") & (pl.col("year") == network.year))
        .filter((pl.col("driven_by") == "inflow") | (pl.col("year") > pl.col("first")))
        .join(library.select("commodity", "t_per_unit"), on="commodity", how="left")
        .with_columns(mass=pl.col("value") * pl.col("t_per_unit"))
    )
    site, above = ancestry(network.parent)
    ids = pl.Series(network.site_ids, dtype=pl.String)
    inside = pl.DataFrame({"site": ids.gather(site), "scope": ids.gather(above)})
    at_sites = held.join(inside, on="site").with_columns(scope_kind=pl.lit("site"))
    whole = held.with_columns(scope_kind=pl.lit("place"), scope=pl.lit(PLACE))
    columns = ["scope_kind", "scope", "stock", "mass", "provenance"]
    sign = pl.when(pl.col("movement") == "to_stock").then(1.0).when(pl.col("movement") == "from_stock").then(-1.0)
    stored = moves.with_columns(sign=sign).filter(pl.col("sign").is_not_null())
    stored = stored.with_columns(stock="flow", mass=pl.col("sign") * pl.col("mass_t")).select(columns)
    rank = pl.col("provenance").replace_strict(list(PROVENANCE), range(len(PROVENANCE)), return_dtype=pl.Int64)
    sums = (
        pl.concat([whole.select(columns), at_sites.select(columns), stored])
        .sort("scope_kind", "scope", "stock")
        .group_by("scope_kind", "scope", maintain_order=True)
        .agg(
            held=pl.when(pl.col("mass").count() > 0).then(pl.col("mass").sum()),
            lost=pl.col("mass").null_count().cast(pl.Int64),
            weakest=rank.max(),
        )
        .with_columns(
            item=pl.lit("stock_change"),
            weakest=pl.col("weakest").replace_strict(range(len(PROVENANCE)), list(PROVENANCE), return_dtype=pl.String),
        )
    )
    found = details.join(sums, on=["scope_kind", "scope", "item"], how="left", maintain_order="left")
    return found.with_columns(
        value=pl.coalesce("held", "value"),
        missing=pl.col("missing") + pl.col("lost").fill_null(0),
        provenance=pl.coalesce("weakest", "provenance"),
    ).select(details.columns)
