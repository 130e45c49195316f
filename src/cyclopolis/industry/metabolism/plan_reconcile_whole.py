"""All years of a plan's reconciliation in one: things of every year, extra things, what is known, what binds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_data import data_names, pose, thing_names
from cyclopolis.industry.metabolism.plan_reconcile_extras import Extras, extra_data, name_of
from cyclopolis.industry.metabolism.plan_reconcile_layers import Stage, add_layers
from cyclopolis.industry.metabolism.plan_reconcile_problem import Data, Things, join_data, thing_relations
from cyclopolis.industry.metabolism.plan_reconcile_shares import (
    ROUNDING,
    Shares,
    read_shares,
    refuse_more_than_all,
    split_sums,
)
from cyclopolis.industry.metabolism.plan_reconcile_sides import Terms, correlated_data, read_terms, side_relations
from cyclopolis.industry.metabolism.plan_reconcile_stores import add_stores
from cyclopolis.network import Flows, Network
from cyclopolis.network.model import Bools, Floats, Ints
from cyclopolis.plan import Plan

READ: Final = ("measurements", "shares", "stock_changes", "concentrations")
"""Tables whose rows are data, in the order in which their rows are counted."""
LOST: Final = {"plant": pl.String, "commodity": pl.String, "reason": pl.String}
_FACTORS: Final = ("share", "yield")


@dataclass(frozen=True)
class Whole:
    """What is reconciled: the things of the base year first, of the other years after it, extra things last (T).

    Parameters
    ----------
    years : tuple of int
        The base year first.
    things : tuple of Things
        Of each year; the first of year ``i`` is at ``starts[i]``, the first extra thing at ``starts[-1]``.
    extras : polars.DataFrame
        Names of the extra things, in order.
    stored : mapping
        The thing that goes into store at ports of the base year.
    data : Data
        What is known (N); ``of`` spans all things.
    relations, right, lines
        Relations by rule (R, T), right-hand sides and names; the last ``own`` are the plan's.
    products : (n, 3) int
        Result, factor and of, as quantities: data, then things.
    correlations : list of (first, second, coefficient)
    flow, dropped : (T,) bool
        Which things are flows; which of them are taken as 0.
    names : list of str
        Of all quantities, for messages.
    lost : polars.DataFrame
        Rows that cannot be used: plant, commodity, reason.
    """

    years: tuple[int, ...]
    things: tuple[Things, ...]
    starts: tuple[int, ...]
    extras: pl.DataFrame
    stored: Mapping[int, int]
    data: Data
    relations: sp.csr_array
    right: Floats
    lines: list[str]
    own: int
    products: Ints
    correlations: list[tuple[int, int, float]]
    flow: Bools
    dropped: Bools
    names: list[str]
    lost: pl.DataFrame

    @property
    def size(self) -> int:
        """Number of all things."""
        return self.starts[-1] + self.extras.height

    @property
    def factors(self) -> Bools:
        """Which data (N,) are factors themselves, not values of things."""
        return np.isin(self.data.kind, _FACTORS)


@dataclass(frozen=True)
class _Year:
    """One year: its network, shares and relations, its things and what is known of them."""

    network: Network
    shares: Shares
    terms: Terms
    things: Things
    data: Data


def years_of(plan: Plan) -> tuple[int, ...]:
    """Return the years that are reconciled, the base year first; none when nothing is known of the base year.

    Examples
    --------
    >>> import cyclopolis
    >>> years_of(cyclopolis.read_plan(cyclopolis.example("changzhi")))
    (2023,)
    """
    tables, base = plan.tables, plan.meta.base_year
    stated = {
        "measurements": pl.col("amount"),
        "shares": pl.col("share"),
        "stock_changes": pl.coalesce("change", "level"),
        "concentrations": pl.col("value"),
    }
    known = {name: tables[name].filter(value.is_not_null()) for name, value in stated.items()}
    if not any((rows["year"].is_null() | (rows["year"] == base)).any() for rows in known.values()):
        return ()
    flowing = pl.concat([known["measurements"]["year"], known["shares"]["year"], _changes(known["stock_changes"])])
    others = flowing.drop_nulls().unique().sort().to_list()
    return (base, *(year for year in others if year != base))


def _changes(rows: pl.DataFrame) -> pl.Series:
    return rows.filter(pl.col("change").is_not_null())["year"]


def assemble(plan: Plan, network: Network, flows: Flows, years: Sequence[int], where: pl.DataFrame) -> Whole:
    """Return the whole of some years of a plan.

    Parameters
    ----------
    plan : Plan
    network, flows
        The base year by rule.
    years : sequence of int
        The base year first.
    where : polars.DataFrame
        File and row of each row of the tables `READ`, one table after the other.

    Raises
    ------
    UserError
        If shares give away more than there is.
    """
    tables = plan.tables
    first = dict(zip(READ, np.cumsum([0, *(tables[name].height for name in READ[:-1])]).tolist(), strict=True))
    posed = [_one_year(plan, network, flows, year, where, first["shares"]) for year in years]
    starts = np.cumsum([0, *(year.things.size for year in posed)]).tolist()
    extras = Extras(starts[-1])
    of_year = list(zip(years, [year.things for year in posed], strict=True))
    stored = add_stores(extras, network, of_year, tables["stock_changes"], first["stock_changes"])
    stages = [
        (year, Stage(network, things, start, stored[year]))
        for (year, things), start in zip(of_year, starts, strict=False)
    ]
    add_layers(extras, stages, tables["substances"], tables["concentrations"], first["concentrations"])
    unbound = tables["shares"]["year"].is_null().to_numpy()
    data, products = _known(posed, starts, extras, unbound, first["shares"])
    relations, right, lines, own = _bound(posed, starts, extras, [stored[year] for year in years])
    pairs, astray = correlated_data(data, tables["measurements"], tables["correlations"])
    lost = [posed[0].shares.lost.clear(), *(year.terms.lost for year in posed), astray]
    names = extras.names()
    return Whole(
        years=tuple(years),
        things=tuple(year.things for year in posed),
        starts=tuple(starts),
        extras=names,
        stored=stored[years[0]],
        data=data,
        relations=relations,
        right=right,
        lines=lines,
        own=own,
        products=products,
        correlations=pairs,
        flow=_flows(posed, starts, extras.size),
        dropped=np.concatenate(
            [*(_nothing_left(network, year.shares, year.things) for year in posed), np.zeros(names.height, dtype=bool)]
        ),
        names=[
            *data_names(network, data, names, where),
            *(
                name if year == years[0] else f"{name} {year}"
                for year, things in of_year
                for name in thing_names(network, things)
            ),
            *(name_of(row) for row in names.iter_rows(named=True)),
        ],
        lost=pl.concat([*lost, pl.DataFrame(extras.lost, schema=LOST, orient="row")]).unique(maintain_order=True),
    )


def _one_year(plan: Plan, network: Network, flows: Flows, year: int, where: pl.DataFrame, first_share: int) -> _Year:
    """Read one year; plants and flows are those of the base year."""
    tables = plan.tables
    now = replace(network, year=year)
    shares = read_shares(now, flows, tables["shares"])
    refuse_more_than_all(now, shares, where[first_share : first_share + tables["shares"].height])
    terms = read_terms(now, flows, tables["relations"], places_of(plan, ("relations",)))
    things, data = pose(
        now,
        flows,
        tables["measurements"],
        shares,
        plan.library.recipes,
        terms.arc[terms.arc >= 0],
        base=year == network.year,
    )
    return _Year(now, shares, terms, things, data)


def places_of(plan: Plan, names: Sequence[str]) -> pl.DataFrame:
    """Return file and row of each row of some tables; where the plan does not tell, the row is counted."""
    counted = {name: np.arange(1, plan.tables[name].height + 1) for name in names}
    return pl.concat(
        plan.places.get(
            name, pl.DataFrame({"file": pl.Series([name] * counted[name].size, dtype=pl.String), "row": counted[name]})
        )
        for name in names
    )


def _nothing_left(network: Network, shares: Shares, things: Things) -> Bools:
    """Return the other flows (things,) of outputs whose exact shares sum to 1."""
    total, sd = split_sums(shares, network.ports.plant.size)
    full = (sd == 0) & (total >= 1 - ROUNDING)
    none = np.zeros(things.size, dtype=bool)
    none[things.first_rest :] = full[things.rest_port]
    arc = np.flatnonzero((things.arc >= 0) & full[network.arcs.giver])
    none[things.arc[arc[~np.isin(arc, shares.result[shares.split])]]] = True
    return none


def _flows(posed: Sequence[_Year], starts: Sequence[int], size: int) -> Bools:
    """Return which of all things are flows between plants or other flows of a port."""
    flow = np.zeros(size, dtype=bool)
    for year, start in zip(posed, starts, strict=False):
        flow[start + year.things.arc[year.things.arc >= 0]] = True
        flow[start + year.things.first_rest : start + year.things.size] = True
    return flow


def _known(
    posed: Sequence[_Year], starts: Sequence[int], extras: Extras, unbound: Bools, first_share: int
) -> tuple[Data, Ints]:
    """Join what is known of all years and extra things; a share of all years is one datum.

    Returns
    -------
    Data
    (n, 3) int array
        Products of quantities: data, then things.
    """
    parts, triples, seen, before = [], [], dict[int, int](), 0
    for year, start in zip(posed, starts, strict=False):
        data = year.data
        shared = np.isin(data.kind, _FACTORS)
        shared[shared] = unbound[data.row[shared] - first_share]
        again = shared & np.isin(data.row, list(seen))
        kept = np.flatnonzero(~again)
        place = np.empty(data.row.size, dtype=np.int64)
        place[kept] = before + np.arange(kept.size)
        place[again] = [seen[row] for row in data.row[again].tolist()]
        seen |= dict(zip(data.row[shared].tolist(), place[shared].tolist(), strict=True))
        factor = np.flatnonzero(data.product[:, 0] >= 0)
        result, of = (data.product[factor] + start).T
        triples.append(np.stack([result, -1 - place[factor], of], axis=1))
        parts.append(_pick(data, kept, np.where(shared, -1, year.network.year), start, extras.size))
        before += kept.size
    parts.append(extra_data(extras))
    own = _direct(extras, before)
    joined = np.concatenate([*triples, own])
    count = sum(part.at.size for part in parts)
    return join_data(parts), np.where(joined < 0, -1 - joined, joined + count)


def _direct(extras: Extras, before: int) -> Ints:
    """Return the products of extra things; a concentration of which one row speaks is that datum (-1 - datum)."""
    own = np.array(extras.products, dtype=np.int64).reshape(-1, 3)
    rows = np.array([item.thing for item in extras.measured], dtype=np.int64)
    thing, first, times = np.unique(rows, return_index=True, return_counts=True)
    single = dict(zip(thing[times == 1].tolist(), (-1 - before - first[times == 1]).tolist(), strict=True))
    own[:, 1] = [single.get(at, at) for at in own[:, 1].tolist()]
    return own


def _pick(data: Data, kept: Ints, year: Ints, start: int, width: int) -> Data:
    """Return some data of a year, over all things."""
    of = sp.coo_array(data.of[kept])
    return Data(
        [data.kind[at] for at in kept.tolist()],
        [data.basis[at] for at in kept.tolist()],
        data.at[kept],
        data.row[kept],
        data.value[kept],
        data.sd[kept],
        data.given[kept],
        sp.csr_array((of.data, (of.row, of.col + start)), shape=(kept.size, width)),
        data.product[kept],
        year[kept],
    )


def _bound(
    posed: Sequence[_Year], starts: Sequence[int], extras: Extras, stored: Sequence[Mapping[int, int]]
) -> tuple[sp.csr_array, Floats, list[str], int]:
    """Return all relations (R, T), right-hand sides, names, and how many of the last are the plan's own."""
    rules, sides, lines, side_lines, right = [], [], [], [], []
    for year, into, start in zip(posed, stored, starts, strict=False):
        end_name = "" if year is posed[0] else f" {year.network.year}"
        matrix, names, line = thing_relations(year.network, year.things)
        wide = _widened(matrix, start, extras.size)
        port = np.array([at for at in into if line[at] >= 0], dtype=np.int64)
        sign = np.where(year.network.ports.coefficient[port] > 0, -1.0, 1.0)
        column = np.array([into[at] for at in port.tolist()], dtype=np.int64)
        rules.append(wide + sp.csr_array((sign, (line[port], column)), shape=wide.shape))
        lines += [name + end_name for name in names]
        matrix, amount, names = side_relations(year.terms, year.things)
        sides.append(_widened(matrix, start, extras.size))
        right.append(amount)
        side_lines += names
    more, names = extras.relations()
    matrix = sp.csr_array(sp.vstack([*rules, more, *sides], format="csr"))
    amounts = np.concatenate([np.zeros(matrix.shape[0] - len(side_lines)), *right])
    return matrix, amounts, [*lines, *names, *side_lines], len(side_lines)


def _widened(matrix: sp.csr_array, start: int, width: int) -> sp.csr_array:
    """Return a matrix over the things of one year as one over all things."""
    entries = sp.coo_array(matrix)
    return sp.csr_array((entries.data, (entries.row, entries.col + start)), shape=(matrix.shape[0], width))
