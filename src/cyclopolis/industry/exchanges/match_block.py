"""Pairs of offers and needs by blocks: what it is and where it is, joined in DuckDB within a budget of pairs.

Everything here is numbers: concepts, units and technologies are positions in tables that the caller keeps. The pairs
are counted before they are made; a block that would explode is named instead.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cyclopolis.foundation.problems import user_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

SAMPLED = 200_000
"""Offers from which on the pairs are counted from a sample of one in `SAMPLE`."""
SAMPLE = 32
HEAVY = 20_000
"""Needs in one block from which on its pairs are always counted one by one."""
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
_CELLS = """
create or replace macro cell(deg, size) as cast(floor(deg / size) as bigint) + 500000;
create or replace macro packed(concept, x, y) as (cast(concept as bigint) << 40) + (y << 20) + x;
create or replace macro straight(lon1, lat1, lon2, lat2) as 2 * 6371.0088 * asin(least(1, sqrt(
  pow(sin(radians(lat2 - lat1) / 2), 2)
  + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lon2 - lon1) / 2), 2))));
create table around as select a.i, b.j from (select unnest([-1, 0, 1]) i) a, (select unnest([-1, 0, 1]) j) b;
create view need_any as
  select n.row as nrow, n.concept, n.lon as nlon, n.lat as nlat, n.amount as namount, n.unit as nunit,
    n.months as nmonths, n.first as nfirst, n.last as nlast, n.price as nprice, n.technology as ntechnology,
    n.owner as nowner, n.fit as nfit
  from needs n;
create table need_key as
  select *, packed(concept, cell(nlon, getvariable('dx')), cell(nlat, getvariable('dy'))) as key
  from need_any where nlon is not null and nlat is not null;
create view need_lost as select * from need_any where nlon is null or nlat is null;
create view offer_there as select rowid as pos, row, concept from offers where lon is not null and lat is not null;
create view offer_lost as select rowid as pos, row, concept from offers where lon is null or lat is null;
create view offer_key as
  select o.rowid as pos, o.row, o.concept, o.lon, o.lat, r.relation, r.need,
    packed(r.need, cell(o.lon, getvariable('dx')) + a.i, cell(o.lat, getvariable('dy')) + a.j) as key
  from offers o join relations r on r.offer = o.concept, around a where o.lon is not null and o.lat is not null;
"""
_HEAVY = """
create table heavy as select key, count(*) as many from need_key group by key having count(*) >= getvariable('heavy');
"""
_COUNT = """
select coalesce(sum(many), 0) from (
  select count(*) * getvariable('sample') as many
  from offer_key o join need_key n on n.key = o.key
  where (o.row * 2654435761 % 4294967296) % getvariable('sample') = 0 and n.key not in (select key from heavy)
  union all
  select sum(h.many) from offer_key o join heavy h on h.key = o.key
  union all
  select count(*) from offer_lost o join relations r on r.offer = o.concept join need_any n on n.concept = r.need
  union all
  select count(*) from offer_there o join relations r on r.offer = o.concept join need_lost n on n.concept = r.need)
"""
_COUNT_LOST = """
select coalesce(sum(a.many * b.many), 0) from
  (select concept, count(*) as many from offers group by concept) a
  join relations r on r.offer = a.concept
  join (select concept, count(*) as many from need_lost group by concept) b on b.concept = r.need
"""
_WORST = """
select o.concept, o.need, count(*) * getvariable('sample') as many,
  min(o.lon), min(o.lat)
from offer_key o join need_key n on n.key = o.key
where (o.row * 2654435761 % 4294967296) % getvariable('sample') = 0
group by o.concept, o.need, (n.key & 1099511627775) order by many desc, 1, 2 limit 1
"""
_WORST_PLACELESS = """
select a.concept, r.need, a.many * b.many as many, null, null from
  (select concept, count(*) as many from offers group by concept) a
  join relations r on r.offer = a.concept
  join (select concept, count(*) as many from needs group by concept) b on b.concept = r.need
order by many desc, 1, 2 limit 1
"""
_PAIRS = """
create view met as
  select o.pos, o.relation as how_related, n.*, straight(o.lon, o.lat, n.nlon, n.nlat) as straight_km
  from offer_key o join need_key n on n.key = o.key
  where abs(o.lat - n.nlat) <= getvariable('reach') / 111.19 and o.row <> n.nrow
    and straight(o.lon, o.lat, n.nlon, n.nlat) <= getvariable('reach')
  union all
  select o.pos, r.relation, n.*, 0, null
  from offer_lost o join relations r on r.offer = o.concept join need_any n on n.concept = r.need where o.row <> n.nrow
  union all
  select o.pos, r.relation, n.*, 0, null
  from offer_there o join relations r on r.offer = o.concept join need_lost n on n.concept = r.need
  where o.row <> n.nrow;
create view ways as
  select o.row, o.concept, o.amount, o.unit, o.months, o.first, o.last, o.price, o.near, o.fit,
    p.nrow, p.concept as nconcept, p.namount, p.nunit, p.nmonths, p.nfirst, p.nlast, p.nprice, p.nfit, p.straight_km,
    r.relation, r.ratio, r.anyunit, r.fit as how, r.process_cost
  from met p join offers o on o.rowid = p.pos join relations r on r.relation = p.how_related
  where (o.owner <> p.nowner or o.owner < 0) and (r.technology < 0 or p.ntechnology < 0 or r.technology = p.ntechnology)
    and o.months & p.nmonths > 0 and greatest(o.first, p.nfirst) <= least(o.last, p.nlast);
create view carried as
  select w.*, greatest(straight_km * coalesce(m.detour1, 1.3), near) as way1,
    greatest(straight_km * coalesce(m.detour2, 1.3), near) as way2, m.* exclude (concept),
    case when straight_km is null then -1 when way1 <= coalesce(m.reach1, 1e9) then 1
      when way2 <= coalesce(m.reach2, 0) then 2 else 0 end as which
  from ways w left join modes m on m.concept = w.concept;
create view sized as
  select row, nrow, concept, nconcept, relation, fit * nfit * how as fit,
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
  select row, nrow, relation, cast(net_gain as float) as gain, cast(unit_gain as float) as unit,
    cast(fit as float) as fit
  from valued
"""
_BEST = """
create table best as select * from found
  order by gain desc nulls last, unit desc nulls last, fit desc, row, nrow, relation limit {}
"""
_PICK = """
alter table offers rename to all_offers;
alter table needs rename to all_needs;
create table offers as select * from all_offers where row in (select row from best);
create table needs as select * from all_needs where row in (select nrow from best);
create or replace table need_key as
  select *, packed(concept, cell(nlon, getvariable('dx')), cell(nlat, getvariable('dy'))) as key
  from need_any where nlon is not null and nlat is not null;
"""
_COPY = """
copy (select v.* from valued v semi join best b on v.row = b.row and v.nrow = b.nrow and v.relation = b.relation)
to '{}' (format parquet)
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


def count_pairs(connection: "DuckDBPyConnection", bounds: Bounds, least: float) -> int:
    """Return how many candidate pairs a join would make, from the tables offers, needs, relations and modes.

    Up to `SAMPLED` offers the number is exact; beyond, blocks of many needs are counted exactly and the others from one
    offer in `SAMPLE`.
    """
    offers = _number(connection, "select count(*) from offers")
    sample = SAMPLE if offers > SAMPLED else 1
    furthest = _number(
        connection, "select greatest(max(abs(lat)), 0) from (select lat from offers union all select lat from needs)"
    )
    dy = bounds.reach_km / 111.19
    dx = dy / max(cos(radians(min(float(furthest or 0) + dy, 88.0))), 0.03)
    for name, value in (
        ("dx", dx),
        ("dy", dy),
        ("reach", bounds.reach_km),
        ("sample", sample),
        ("heavy", HEAVY),
        ("least", least),
    ):
        connection.execute(f"set variable {name} = {value!r}")
    connection.execute(_PRESENT)
    connection.execute(_CELLS)
    connection.execute(_HEAVY)
    placeless = int(_number(connection, _COUNT_LOST))
    if placeless > bounds.budget:
        return placeless
    return int(_number(connection, _COUNT))


def _number(connection: "DuckDBPyConnection", query: str) -> float:
    row = connection.execute(query).fetchone()
    return float(row[0] or 0) if row else 0.0


def check_budget(connection: "DuckDBPyConnection", bounds: Bounds, count: int, names: tuple[str, ...]) -> None:
    """Raise UserError when there would be too many pairs; it names the block that makes most of them."""
    if count <= bounds.budget:
        return
    found = [connection.execute(query).fetchone() for query in (_WORST, _WORST_PLACELESS)]
    worst = max((row for row in found if row), key=lambda row: row[2])
    offer, need, many, lon, lat = worst
    place = "?" if lon is None else f"{lon:.2f}, {lat:.2f}"
    raise user_error(
        "match.too_many_pairs",
        count=f"{count:,}",
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


def find_pairs(connection: "DuckDBPyConnection", target: Path, rows: int, each: Path | None = None) -> Found:
    """Write the best pairs that are within reach, in season and fit, with the parts of their gain, as Parquet.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        After `count_pairs`.
    target : Path
        File of the best ``rows`` pairs.
    rows : int
    each : Path, optional
        File of the best need of every offer.
    """
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
