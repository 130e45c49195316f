"""Pairs of offers and needs by blocks (`match_cells`), valued in DuckDB within a budget of pairs.

Everything here is numbers: concepts, units and technologies are positions in tables that the caller keeps. The pairs
are counted before they are made; a block that would explode is named instead.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.exchanges.match_cells import (
    Blocks,
    Ints,
    batches,
    cell_size,
    count_met,
    heaviest,
    meet,
    sort_blocks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

SIDE = {
    "row": pl.Int64,
    "concept": pl.Int32,
    "lon": pl.Float64,
    "lat": pl.Float64,
    "amount": pl.Float64,
    "unit": pl.Int16,
    "months": pl.Int16,
    "first": pl.Int16,
    "last": pl.Int16,
    "price": pl.Float64,
    "technology": pl.Int16,
    "owner": pl.Int64,
    "near": pl.Float64,
    "fit": pl.Float64,
}
"""Columns of an offer or a need: position, concept, degrees, amount per year and its unit, months as twelve bits, first
and last year, CNY per unit (an offer: what leaving it costs; a need: what buying costs), technology (-1: unknown),
owner (-1: unknown), way within its own place in km, how surely the text was understood."""
RELATION = {
    "offer": pl.Int32,
    "need": pl.Int32,
    "relation": pl.Int32,
    "technology": pl.Int32,
    "ratio": pl.Float64,
    "anyunit": pl.Boolean,
    "fit": pl.Float64,
    "process_cost": pl.Float64,
}
"""Columns of a relation: concepts, its position, technology that the taker must run (-1: any), units of need covered by
one unit given, whether the ratio holds whatever the units, how well it fits, CNY per unit given to make it fit."""
MODE = {
    "concept": pl.Int32,
    "mode1": pl.Int32,
    "cost1": pl.Float64,
    "reach1": pl.Float64,
    "detour1": pl.Float64,
    "mode2": pl.Int32,
    "cost2": pl.Float64,
    "reach2": pl.Float64,
    "detour2": pl.Float64,
}
"""Columns of transport: for each concept the cheapest mode and the one that reaches farthest."""


@dataclass(frozen=True)
class Bounds:
    """What bounds the search.

    Parameters
    ----------
    reach_km : float
        Longest straight distance.
    budget : int
        Most candidate pairs.
    memory_gb : float
        Most memory that the join may use; beyond it goes to disk.
    threads : int
        Threads of the join.
    """

    reach_km: float
    budget: int
    memory_gb: float = 3.0
    threads: int = 2


_PRESENT = """
delete from relations where need not in (select distinct concept from needs)
  or offer not in (select distinct concept from offers)
"""
_COUNT_LOST = """
select coalesce(sum(a.many * b.many - a.there * b.there), 0) from
  (select concept, count(*) as many, count(lon + lat) as there from offers group by concept) a
  join relations r on r.offer = a.concept
  join (select concept, count(*) as many, count(lon + lat) as there from needs group by concept) b on b.concept = r.need
"""
_WORST_LOST = """
select a.concept, r.need, a.many * b.many - a.there * b.there as many from
  (select concept, count(*) as many, count(lon + lat) as there from offers group by concept) a
  join relations r on r.offer = a.concept
  join (select concept, count(*) as many, count(lon + lat) as there from needs group by concept) b on b.concept = r.need
order by many desc, 1, 2 limit 1
"""
_PLACED = "select rowid::int as pos, concept, lon, lat from {} where lon is not null and lat is not null"
_MET = """
create table met (pos int, npos int, how_related int, straight_km double);
insert into met select o.rowid, n.rowid, r.relation, null
  from offers o join relations r on r.offer = o.concept join needs n on n.concept = r.need
  where o.lon is null or o.lat is null;
insert into met select o.rowid, n.rowid, r.relation, null
  from offers o join relations r on r.offer = o.concept
    join (select rowid, concept from needs where lon is null or lat is null) n on n.concept = r.need
  where o.lon is not null and o.lat is not null;
"""
_PAIRS = """
create view ways as
  select p.pos, p.npos, o.row, o.concept, o.amount, o.unit, o.months, o.first, o.last, o.price, o.near, o.fit,
    n.row as nrow, n.concept as nconcept, n.amount as namount, n.unit as nunit, n.months as nmonths, n.first as nfirst,
    n.last as nlast, n.price as nprice, n.fit as nfit, p.straight_km,
    r.relation, r.ratio, r.anyunit, r.fit as how, r.process_cost
  from met p join offers o on o.rowid = p.pos join needs n on n.rowid = p.npos
    join relations r on r.relation = p.how_related
  where o.row <> n.row and (o.owner <> n.owner or o.owner < 0)
    and (r.technology < 0 or n.technology < 0 or r.technology = n.technology)
    and o.months & n.months > 0 and greatest(o.first, n.first) <= least(o.last, n.last);
create view carried as
  select w.*, greatest(straight_km * coalesce(m.detour1, 1.3), near) as way1,
    greatest(straight_km * coalesce(m.detour2, 1.3), near) as way2, m.* exclude (concept),
    case when straight_km is null then -1 when way1 <= coalesce(m.reach1, 1e9) then 1
      when way2 <= coalesce(m.reach2, 0) then 2 else 0 end as which
  from ways w left join modes m on m.concept = w.concept;
create view sized as
  select pos, npos, row, nrow, concept, nconcept, relation, fit * nfit * how as fit,
    case which when 1 then mode1 when 2 then mode2 else -1 end as mode,
    case which when 1 then way1 when 2 then way2 else null end as distance_km,
    case when anyunit or unit = nunit then ratio end as ratio,
    case when amount is not null and namount is not null and (anyunit or unit = nunit) then
      least(amount / bit_count(months), namount / bit_count(nmonths) / ratio) * bit_count(months & nmonths)
    end as amount,
    case which when 1 then cost1 * way1 when 2 then cost2 * way2 end as haul, price, nprice, process_cost,
    least(last, nlast) as last, greatest(first, nfirst) as first
  from carried where which <> 0;
create view valued as
  select *, case when nprice is not null or price is not null then
      coalesce(ratio * nprice, 0) + coalesce(price, 0) - coalesce(haul, 0) - coalesce(process_cost, 0) end as unit_gain,
    amount * unit_gain as net_gain
  from sized where fit >= getvariable('least');
"""
_FOUND = """
create table found as
  select pos, npos, row, nrow, relation, cast(net_gain as float) as gain, cast(unit_gain as float) as unit,
    cast(fit as float) as fit
  from valued
"""
_BEST = """
create table best as select * from found
  order by gain desc nulls last, unit desc nulls last, fit desc, row, nrow, relation limit {}
"""
_PICK = """
create table picked as select m.* from met m
  semi join best b on m.pos = b.pos and m.npos = b.npos and m.how_related = b.relation;
drop table met;
alter table picked rename to met;
"""
_COPY = """
copy (select * exclude (pos, npos) from valued) to '{}' (format parquet)
"""
_BEST_OF_EACH = """
copy (select row, arg_max(nrow, coalesce(gain, fit)) as nrow, max(gain) as net_gain_cny, count(*) as pairs
  from found group by row order by row) to '{}' (format parquet)
"""


@contextmanager
def opened(folder: Path, bounds: Bounds) -> "Iterator[DuckDBPyConnection]":
    """Give a database in memory that spills into a folder."""
    import duckdb  # noqa: PLC0415 - slow to load, and only matching needs it

    connection = duckdb.connect(config={"temp_directory": str(folder), "memory_limit": f"{bounds.memory_gb}GB"})
    try:
        connection.execute(f"set threads = {int(bounds.threads)}")
        connection.execute("set preserve_insertion_order = false")
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class Counted:
    """What will be joined, counted: all candidate pairs, those with no place, and both sides in blocks.

    Parameters
    ----------
    pairs, lost : int
        Candidate pairs, and those of them of which one side has no place.
    offers, needs : Blocks
    relations : Ints (m, 3)
        Offered thing, needed thing, relation.
    each : Ints (m,)
        Candidate pairs of each relation.
    """

    pairs: int
    lost: int
    offers: Blocks
    needs: Blocks
    relations: Ints
    each: Ints


def count_pairs(connection: "DuckDBPyConnection", bounds: Bounds, least: float) -> Counted:
    """Return how many candidate pairs a join would make, from the tables offers, needs, relations and modes."""
    connection.execute(f"set variable least = {least!r}")
    connection.execute(_PRESENT)
    lost = int(_number(connection, _COUNT_LOST))
    placed = [_placed(connection, side) for side in ("offers", "needs")]
    furthest = max((float(np.abs(side["lat"]).max()) for side in placed if len(side["lat"])), default=0.0)
    cell = cell_size(bounds.reach_km, furthest)
    offers, needs = (sort_blocks(side["pos"], side["concept"], side["lon"], side["lat"], cell) for side in placed)
    rows = connection.execute("select offer, need, relation from relations order by relation").fetchall()
    relations = np.array(rows, dtype=np.int64).reshape(-1, 3)
    each = count_met(offers, needs, relations[:, :2])
    return Counted(int(each.sum()) + lost, lost, offers, needs, relations, each)


def _placed(connection: "DuckDBPyConnection", side: str) -> dict[str, NDArray[Any]]:
    """Return position, concept and degrees of the rows of one side that have a place."""
    columns = connection.execute(_PLACED.format(side)).fetchnumpy()
    return {name: np.asarray(values) for name, values in columns.items()}


def _number(connection: "DuckDBPyConnection", query: str) -> float:
    row = connection.execute(query).fetchone()
    return float(row[0] or 0) if row else 0.0


def check_budget(connection: "DuckDBPyConnection", bounds: Bounds, count: Counted, names: tuple[str, ...]) -> None:
    """Raise UserError when there would be too many pairs; it names the block that makes most of them."""
    if count.pairs <= bounds.budget:
        return
    offer, need, many = connection.execute(_WORST_LOST).fetchone() or (0, 0, 0)
    place = "?"
    if count.each.max(initial=0) > 0:
        give, take = count.relations[int(count.each.argmax()), :2].tolist()
        block = heaviest(count.offers, count.needs, give, take)
        if block[0] >= many:
            offer, need, many, place = give, take, block[0], f"{block[1]:.2f}, {block[2]:.2f}"
    raise user_error(
        "match.too_many_pairs",
        count=f"{count.pairs:,}",
        budget=f"{bounds.budget:,}",
        offer=names[offer],
        need=names[need],
        many=f"{int(many):,}",
        place=place,
        reach=f"{bounds.reach_km:g}",
    )


@dataclass(frozen=True)
class Found:
    """What a join found: all pairs, and how many offers and needs have at least one."""

    pairs: int
    offers: int
    needs: int


def find_pairs(
    connection: "DuckDBPyConnection", bounds: Bounds, count: Counted, target: Path, rows: int, each: Path | None = None
) -> Found:
    """Write the best pairs that are within reach, in season and fit, with the parts of their gain, as Parquet.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    bounds : Bounds
    count : Counted
        Of `count_pairs`.
    target : Path
        File of the best ``rows`` pairs.
    rows : int
    each : Path, optional
        File of the best need of every offer.
    """
    connection.execute(_MET)
    for part in batches(meet(count.offers, count.needs, count.relations[:, :2], bounds.reach_km)):
        related = count.relations[part.relation, 2].astype(np.int32)
        connection.register("part", {"pos": part.offer, "npos": part.need, "relation": related, "km": part.km})
        connection.execute("insert into met select pos, npos, relation, km from part")
        connection.unregister("part")
    connection.execute(_PAIRS)
    connection.execute(_FOUND)
    counts = connection.execute("select count(*), count(distinct row), count(distinct nrow) from found").fetchone()
    assert counts is not None
    if each is not None:
        connection.execute(_BEST_OF_EACH.format(_quoted(each)))
    connection.execute(_BEST.format(int(rows)))
    connection.execute(_PICK)
    connection.execute(_COPY.format(_quoted(target)))
    return Found(*(int(count) for count in counts))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
