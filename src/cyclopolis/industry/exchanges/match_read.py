"""A bare list of offers and needs, read into the join: what is rubbish is counted and told, the rest is matched."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cyclopolis.foundation.columns import read_columns
from cyclopolis.foundation.files import hash_file
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import message
from cyclopolis.industry.exchanges.match_rows import PACKAGE, shaped
from cyclopolis.industry.exchanges.match_texts import Things, read_things
from cyclopolis.industry.exchanges.match_words import Vocabulary, month_bits, vocabulary
from cyclopolis.library import Library
from cyclopolis.plan.units import factor

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OFFER = (
    "offer",
    "supply",
    "have",
    "give",
    "available",
    "output",
    "waste",
    "o",
    "供应",
    "供",
    "供给",
    "提供",
    "产生",
    "转让",
    "出售",
    "供方",
)
NEED = (
    "need",
    "demand",
    "want",
    "take",
    "wanted",
    "input",
    "request",
    "n",
    "需求",
    "需",
    "求购",
    "采购",
    "接收",
    "求",
    "需方",
)
HASHED = 200_000_000
"""Bytes up to which a list's file is hashed for the manifest."""
_SAMPLES = 5
_TARGETS = ("t/a", "m3/a", "kNm3/a", "GJ/a")
"""Units in which a thing that is no commodity is counted, the first that fits."""


@dataclass(frozen=True)
class Listed:
    """A list that was read: tables ``offers`` and ``needs`` stand in the database.

    Parameters
    ----------
    words : Vocabulary
    rubbish : polars.DataFrame
        Table ``rubbish``.
    inputs : mapping of str to str
        Hash of the file.
    offers, needs : int
        Rows that can be matched.
    """

    words: Vocabulary
    rubbish: pl.DataFrame
    inputs: dict[str, str]
    offers: int
    needs: int

    def shown(self, connection: "DuckDBPyConnection", pairs: pl.DataFrame, folder: Path, rows: int) -> pl.DataFrame:
        """Return the listings that the pairs name, and the first others up to ``rows``, as `match_rows` reads them."""
        wanted = pl.concat([pairs["row"], pairs["nrow"]]).unique().sort()
        pl.DataFrame({"row": wanted}).write_parquet(folder / "wanted.parquet")
        connection.execute(
            _SHOWN.format(wanted=folder / "wanted.parquet", rows=int(rows), out=folder / "shown.parquet")
        )
        table = pl.read_parquet(folder / "shown.parquet")
        return table.with_columns(
            plant=pl.lit(None, pl.String),
            main_t=pl.lit(None, pl.Float64),
            status=pl.lit(None, pl.String),
            provenance=pl.lit("user"),
            concept=pl.col("concept").replace_strict(
                dict(enumerate(self.words.concepts)), default=None, return_dtype=pl.String
            ),
        ).sort("row")


_REASONS = (
    "side",
    "thing",
    "amount",
    "negative",
    "coordinates",
    "half_coordinates",
    "swapped",
    "unit",
    "months",
    "years",
)
_TYPED = """
create {form} typed as select {line} as line, cast({listing} as varchar) as listing,
  coalesce(lower(trim(cast({side} as varchar))), '') as side,
  coalesce(nullif(trim(cast({commodity} as varchar)), ''), nullif(trim(cast({text} as varchar)), ''),
    '@' || nullif(trim(cast({industry} as varchar)), ''), '') as thing,
  nullif(trim(cast({industry} as varchar)), '') as industry,
  nullif(cast({amount} as varchar), '') as amount_text,
  coalesce(try_cast({amount} as double),
    try_cast(replace(replace(trim(cast({amount} as varchar)), ',', ''), '，', '') as double)) as amount,
  coalesce(trim(cast({unit} as varchar)), '') as unit,
  {lon_text} as lon_text, {lat_text} as lat_text, try_cast({lon} as double) as lon, try_cast({lat} as double) as lat,
  nullif(trim(cast({place} as varchar)), '') as place,
  try_cast(nullif(trim(cast({price} as varchar)), '') as double) as price,
  coalesce(trim(cast({months} as varchar)), '') as months,
  coalesce(try_cast(nullif(trim(cast({first_year} as varchar)), '') as integer), 0) as first,
  coalesce(try_cast(nullif(trim(cast({last_year} as varchar)), '') as integer), 9999) as last
from {source}
"""
_WORDED = """
create table worded as select cast(row_number() over () - 1 as integer) as word, * from
  (select {all}, min(industry) as industry, count(*) as many from typed group by {told})
"""
_CODED = """
create table coded as select w.*, s.way, u.factor, cast(coalesce(u.unit_id, -1) as smallint) as unit_id,
  cast(m.bits as smallint) as bits
from worded w
left join side_words s on s.word_of = w.side
left join unit_map u on u.thing = w.thing and u.unit = w.unit
left join month_map m on m.months = w.months
"""
_JUDGED = """
create table judged as select t.line, w.word, cast(w.way as tinyint) as way, t.lon, t.lat,
  t.amount * w.factor as amount,
  case when w.factor > 0 then t.price / w.factor end as price,
  try_cast(t.first as smallint) as first, try_cast(t.last as smallint) as last,
  cast(case
    when w.way is null then 'side'
    when w.thing = '' then 'thing'
    when t.amount_text is not null and (t.amount is null or not isfinite(t.amount)) then 'amount'
    when t.amount < 0 then 'negative'
    when (t.lon_text is not null and t.lon is null) or (t.lat_text is not null and t.lat is null) then 'coordinates'
    when (t.lon is null) <> (t.lat is null) then 'half_coordinates'
    when abs(t.lat) > 90 and abs(t.lon) <= 90 then 'swapped'
    when abs(t.lat) > 90 or abs(t.lon) > 180 then 'coordinates'
    when t.amount is not null and w.unit <> '' and w.factor is null then 'unit'
    when w.bits is null then 'months'
    when t.first > t.last or t.first < 0 or t.last > 9999 then 'years' end as enum {reasons}) as reason
from typed t join coded w using ({told})
"""
_SIDES = """
create table {table} as select j.line as row, g.concept, j.lon, j.lat, j.amount, g.unit_id as unit, g.bits as months,
  j.first, j.last, coalesce(j.price, g.price) as price, cast(-1 as smallint) as technology, cast(-1 as bigint) as owner,
  cast(0.5 as float) as near, g.fit
from judged j join (
  select w.word, t.concept, cast(t.fit as float) as fit, w.unit_id, w.bits, p.price from coded w
  join things t on t.thing = w.thing left join price_{table} p on p.concept = t.concept where w.way = {way}) g
on g.word = j.word
where j.reason is null and j.way = {way}
"""
_SHOWN = """
copy (select j.line as row, coalesce(t.listing, cast(j.line as varchar)) as listing,
    case j.way when 1 then 'offer' else 'need' end as side, t.place as site, ltrim(w.thing, '@') as text,
    j.amount, coalesce(n.name, w.unit) as unit, j.lon, j.lat, g.concept
  from (select * from judged where reason is null and line in (select row from read_parquet('{wanted}'))
    union all select * from judged where reason is null and line <= {rows}
      and line not in (select row from read_parquet('{wanted}'))) j
    join (select line, listing, place from typed) t on t.line = j.line
    join coded w on w.word = j.word
    left join (select thing, arg_max(concept, fit) as concept from things group by thing) g on g.thing = w.thing
    left join unit_names n on n.unit_id = w.unit_id
  order by j.line) to '{out}' (format parquet)
"""
_RUBBISH = """
with told as (select reason, count(*) as many, min(line) as line, min(line, 5) as lines
  from judged where reason is not null group by reason)
select cast(r.reason as varchar), r.many, r.line, r.lines, coalesce(
  case cast(r.reason as varchar) when 'side' then t.side when 'unit' then t.unit
    when 'amount' then t.amount_text when 'negative' then t.amount_text
    when 'coordinates' then t.lon_text || ', ' || t.lat_text when 'swapped' then t.lon_text || ', ' || t.lat_text
    when 'months' then t.months else t.thing end, '')
from told r join typed t on t.line = r.line order by 1
"""
_KEPT = """
copy (select t.line, j.reason, side, thing, amount_text, unit, lon_text, lat_text
  from typed t join (select line, reason from judged where reason is not null) j on j.line = t.line
  order by t.line) to '{}'
"""
_SUSPECTS = """
with middle as (select median(lon) as mlon, median(lat) as mlat from judged where reason is null and lon is not null)
select count(*), list(line order by line)[1:5], min(lon || ', ' || lat) from judged, middle
where reason is null and abs(lon) <= 90 and abs(lat) <= 90 and abs(lon - mlon) + abs(lat - mlat) > 25
  and abs(lat - mlon) + abs(lon - mlat) < 5
"""


def read_listings(
    connection: "DuckDBPyConnection",
    source: Path | str | pl.DataFrame,
    library: Library,
    folder: Path,
    keep: Path | None = None,
) -> Listed:
    """Read a list into the tables ``offers`` and ``needs``.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    source : path or polars.DataFrame
        CSV or Parquet file, or a table.
    library : Library
    folder : Path
        For files on the way.
    keep : Path, optional
        Folder for ``rubbish.csv``: every row that could not be used and why.

    Raises
    ------
    UserError
        If the file is missing or has no column for the side or the thing, or none of its rows can be used.
    """
    name, scan, line = _scan(source, folder)
    described = connection.execute(f"describe select * from {scan}").fetchall()  # noqa: S608 - our own scan
    headers = {row[0]: row[1] for row in described}
    columns = _columns(list(headers), name)
    columns |= {f"{name}_text": _as_text(columns[name], headers) for name in ("lon", "lat")}
    form = "table" if scan.startswith("read_csv") else "view"
    connection.execute(_TYPED.format(source=scan, line=line, form=form, **columns))
    _put(connection, "side_words", {"way": [1] * len(OFFER) + [2] * len(NEED), "word_of": [*OFFER, *NEED]}, folder)
    told = [one for one in ("side", "thing", "unit", "months") if columns.get(one) != "null"]
    empty = [f"'' as {one}" for one in ("unit", "months") if one not in told]
    connection.execute(_WORDED.format(all=", ".join([*told, *empty]), told=", ".join(told)))
    things = _things(connection, library)
    words = vocabulary(library, things.own)
    related = pl.concat([words.related, things.related(words.related)], how="diagonal").with_columns(
        relation=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    names = tuple(pl.concat([related["offer"], related["need"]]).unique().sort().to_list())
    words = Vocabulary(names, words.technologies, words.modes, related, library)
    _maps(connection, things, words, folder)
    connection.execute(_CODED)
    connection.execute(_JUDGED.format(told=", ".join(told), reasons=_REASONS))
    for table, way in (("offers", 1), ("needs", 2)):
        connection.execute(_SIDES.format(table=table, way=way))
    ways = dict(connection.execute("select way, count(*) from judged where reason is null group by way").fetchall())
    counts = [int(ways.get(way, 0)) for way in (1, 2)]
    rubbish = _rubbish(connection, things)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        connection.execute(_KEPT.format(str(keep / "rubbish.csv").replace("'", "''")))
    if not sum(counts):
        said = [message(f"match.rubbish_{row[0]}", rows=row[1], samples=row[2], value=row[3]) for row in rubbish.rows()]
        raise UserError(
            [Problem(message("match.nothing_usable"), file=name), *(Problem(text, file=name) for text in said)]
        )
    return Listed(words, rubbish, _hash(source), *counts)


def _scan(source: Path | str | pl.DataFrame, folder: Path) -> tuple[str, str, str]:
    """Return the list's name, what DuckDB reads it by, and how its rows are numbered."""
    if isinstance(source, pl.DataFrame):
        path = folder / "list.parquet"
        source.write_parquet(path)
        return "table", f"read_parquet('{path}')", "file_row_number + 1"
    path = Path(source)
    if not path.is_file():
        raise user_error("match.no_file", file=path)
    quoted = str(path).replace("'", "''")
    if path.suffix.lower() == ".parquet":
        return path.name, f"read_parquet('{quoted}')", "file_row_number + 1"
    if path.suffix.lower() != ".csv":
        raise user_error("match.file_kind", file=path.name)
    return (
        path.name,
        f"read_csv('{quoted}', all_varchar=true, header=true, ignore_errors=true, null_padding=true)",
        "row_number() over () + 1",
    )


def _columns(headers: Sequence[str], name: str) -> dict[str, str]:
    """Return for each known column what holds it, ``null`` where the list has none."""

    def fold(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold().strip().replace(" ", "_").lstrip("\ufeff")

    found: dict[str, str] = {}
    by_name = {fold(header): header for header in headers}
    for column in read_columns(PACKAGE)["listings"]:
        written = next(
            (by_name[fold(alias)] for alias in (column.name, *column.aliases) if fold(alias) in by_name), None
        )
        quoted = None if written is None else written.replace('"', '""')
        found[column.name] = "null" if quoted is None else f'"{quoted}"'
    for needed in (("side",), ("text", "commodity", "industry")):
        if all(found[one] == "null" for one in needed):
            said = message("match.no_column", column=" / ".join(needed), headers=", ".join(headers))
            raise UserError([Problem(said, file=name)])
    return found


def _as_text(column: str, types: Mapping[str, str]) -> str:
    """Return what a column says as text, null where it holds numbers and cannot be wrong."""
    kind = types.get(column.strip('"').replace('""', '"'), "")
    return f"nullif(trim(cast({column} as varchar)), '')" if kind == "VARCHAR" else "cast(null as varchar)"


def _things(connection: "DuckDBPyConnection", library: Library) -> Things:
    """Read what the list's words mean, each distinct text once."""
    rows = connection.execute(
        "select thing, coalesce(bool_or(way = 1), false), coalesce(bool_or(way = 2), false), min(industry)"
        " from worded left join side_words on word_of = side where thing <> '' group by thing"
        " order by sum(many) desc, thing"
    ).fetchall()
    return read_things(rows, library)


def _maps(connection: "DuckDBPyConnection", things: Things, words: Vocabulary, folder: Path) -> None:
    """Put the tables that turn texts into numbers: things, units, months, prices."""
    concept = words.positions(pl.Series([row[1] for row in things.rows], dtype=pl.String))
    meant = {
        "thing": [row[0] for row in things.rows],
        "concept": concept.to_list(),
        "fit": [row[2] for row in things.rows],
    }
    _put(connection, "things", meant, folder)
    first = dict(reversed([(row[0], row[1]) for row in things.rows]))
    units = connection.execute("select distinct thing, unit from worded where thing <> ''").fetchall()
    goods = {row["commodity"]: row for row in words.library.commodities.iter_rows(named=True)}
    names: dict[str, int] = {}
    maps: list[tuple[str, str, float | None, int]] = []
    known: dict[tuple[str, str], tuple[float | None, str]] = {}
    for thing, unit in sorted(units):
        key = (first.get(thing, ""), unit)
        if key not in known:
            known[key] = _unit(goods.get(key[0]), unit)
        scale, target = known[key]
        maps.append((thing, unit, scale, names.setdefault(target, len(names))))
    _put(
        connection,
        "unit_map",
        dict(zip(("thing", "unit", "factor", "unit_id"), zip(*maps, strict=True), strict=True)),
        folder,
    )
    _put(connection, "unit_names", {"unit_id": list(names.values()), "name": list(names)}, folder)
    months = [row[0] for row in connection.execute("select distinct months from worded").fetchall()]
    _put(connection, "month_map", {"months": months, "bits": [month_bits(text) for text in months]}, folder)
    fates = dict(words.library.fates.sort("cost", descending=True).select("commodity", "cost").iter_rows())
    for table, price in (
        ("offers", {name: fates.get(name) for name in goods}),
        ("needs", {name: row["price_high"] for name, row in goods.items()}),
    ):
        rows = [(place, price[name]) for place, name in enumerate(words.concepts) if price.get(name) is not None]
        _put(
            connection,
            f"price_{table}",
            {"concept": [row[0] for row in rows], "price": [row[1] for row in rows]},
            folder,
        )


def _unit(good: Mapping[str, object] | None, unit: str) -> tuple[float | None, str]:
    """Return the factor from a unit to the one that a thing is counted in (None: no measure of it), and that unit."""
    if good is None:
        for target in _TARGETS:
            scale = factor(unit, target) if unit else None
            if isinstance(scale, float):
                return scale, target.removesuffix("/a")
        return None, unit
    own = str(good["unit"])
    if not unit:
        return 1.0, own
    ways = ((f"{own}/a", 1.0), ("t/a", good["t_per_unit"]), ("GJ/a", good["lhv_gj_per_unit"]))
    for target, per in ways:
        scale = factor(unit, target)
        if isinstance(scale, float) and isinstance(per, float) and per > 0:
            return scale / per, own
    return None, own


def _put(connection: "DuckDBPyConnection", name: str, columns: Mapping[str, Sequence[object]], folder: Path) -> None:
    path = folder / f"{name}.parquet"
    pl.DataFrame({key: list(values) for key, values in columns.items()}, strict=False).write_parquet(path)
    connection.execute(f"create table {name} as select * from read_parquet('{path}')")  # noqa: S608 - names of our own


def _rubbish(connection: "DuckDBPyConnection", things: Things) -> pl.DataFrame:
    """Return what could not be used or is odd: reason, rows, samples, one of the values."""
    rows = [
        (row[0], row[1], ", ".join(map(str, row[3])), str(row[4])) for row in connection.execute(_RUBBISH).fetchall()
    ]
    odd = connection.execute(_SUSPECTS).fetchone()
    if odd and odd[0]:
        rows.append(("maybe_swapped", odd[0], ", ".join(map(str, odd[1])), str(odd[2])))
    if things.unread:
        rows.append(("not_understood", len(things.unread), "", things.unread[0]))
    table = pl.DataFrame(
        rows, schema={"reason": pl.String, "rows": pl.Int64, "samples": pl.String, "value": pl.String}, orient="row"
    )
    return shaped(table, "rubbish")


def _hash(source: Path | str | pl.DataFrame) -> dict[str, str]:
    if isinstance(source, pl.DataFrame):
        return {}
    path = Path(source)
    return {path.name: hash_file(path)} if path.stat().st_size <= HASHED else {}
