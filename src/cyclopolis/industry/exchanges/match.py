"""Match: who could take what is left over, and who could give what is bought; ranked by what both gain.

Two doors lead to one join (`match_block`): a plan, and a bare list of offers and needs (`match_read`).
"""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.exchanges.match_block import Bounds, Found, check_budget, count_pairs, find_pairs, opened
from cyclopolis.industry.exchanges.match_figures import match_figures
from cyclopolis.industry.exchanges.match_fit import LEAST
from cyclopolis.industry.exchanges.match_plan import plan_exchanges, plan_sides
from cyclopolis.industry.exchanges.match_read import Listed, read_listings
from cyclopolis.industry.exchanges.match_rows import match_rows, name_rows, shaped, side_rows, taker_rows
from cyclopolis.industry.exchanges.match_words import write_modes, write_relations
from cyclopolis.library import load_library
from cyclopolis.plan import Plan


@dataclass(frozen=True)
class MatchOptions:
    """How to match.

    Parameters
    ----------
    reach_km : float, optional
        Longest straight distance; the farthest that any mode of transport goes by default.
    least_fit : float
        Fit from which on a pair is shown (0 to 1).
    rows : int
        Most pairs in the table ``matches``: the best.
    budget : int
        Most candidate pairs that may be looked at; they are counted before they are made.
    planned : bool
        Whether plants that do not stand yet count as takers.
    memory_gb : float
        Memory of the join; beyond it goes to disk.
    folder : Path, optional
        Where the rows of a list that could not be used and the best need of each offer are written.
    """

    reach_km: float | None = None
    least_fit: float = LEAST
    rows: int = 10_000
    budget: int = 25_000_000
    planned: bool = True
    memory_gb: float = 3.0
    folder: Path | None = None


@dataclass(frozen=True)
class Match(Result):
    """Offers, needs, and the pairs that fit, ranked; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "match"
    columns_package: ClassVar[str] = "cyclopolis.industry.exchanges"

    def summary(self) -> tuple[Line, ...]:
        """Return how much is left over and bought, how much of it fits, and what the best pairs bring."""
        matches = self.tables["matches"]
        fresh = matches.filter(~pl.col("stands"))
        once = fresh.filter(pl.col("net_gain_cny") > 0).unique(["giver", "offer"], keep="first", maintain_order=True)
        lines = [
            Line(message(f"match.{name}"), float(self.facts[name]), "1")
            for name in ("offers", "needs", "offers_matched", "needs_matched", "pairs")
        ]
        rubbish = self.tables["rubbish"]["rows"].sum()
        return (
            *lines,
            Line(message("match.hazardous"), float(_hazards(matches)), "1"),
            Line(message("match.best_gain"), float(once["net_gain_cny"].sum()), "CNY/a"),
            *([Line(message("match.rubbish"), float(rubbish), "1")] if rubbish else []),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the map and the network of the best pairs, and bars of what each brings."""
        return match_figures(self.tables, language)


def _hazards(matches: pl.DataFrame) -> int:
    return matches.filter(pl.col("blockers").str.contains("hazard_").fill_null(value=False)).height


def match(
    source: Plan | Path | str | pl.DataFrame, options: MatchOptions | None = None, progress: Progress = silent
) -> Match:
    """Find who could give what to whom.

    Parameters
    ----------
    source : Plan, path or polars.DataFrame
        A plan: its unused outputs and bought inputs. Or a list of offers and needs (CSV or Parquet file, or a table of
        texts): columns side, text or commodity, and as far as known amount, unit, lon, lat, place, price, months.
    options : MatchOptions, optional
    progress : Progress
        Told what is being done.

    Returns
    -------
    Match

    Raises
    ------
    UserError
        If a list lacks a side or a thing, or a block would make more pairs than the budget; the block is named.

    Examples
    --------
    >>> rows = {"side": ["offer", "need"], "text": ["fly ash", "水泥混合材"]}
    >>> sizes = {"amount": ["100", "60"], "unit": ["kt", "万吨"]}
    >>> found = match(pl.DataFrame(rows | sizes)).tables["matches"]
    >>> found.select("offer", "need", "basis", "amount").rows()
    [('fly_ash', 'cement_additive', 'kind', 100000.0)]
    """
    asked = options or MatchOptions()
    with tempfile.TemporaryDirectory(prefix="cyclopolis-match-") as place:
        folder = Path(place)
        if isinstance(source, Plan):
            return _match_plan(source, asked, folder, progress)
        return _match_list(source, asked, folder, progress)


def _match_plan(plan: Plan, asked: MatchOptions, folder: Path, progress: Progress) -> Match:
    progress(message("match.stage_read"), 0.1)
    sides, network, flows = plan_sides(plan, planned=asked.planned)
    sides.offers.write_parquet(folder / "offers.parquet")
    sides.needs.write_parquet(folder / "needs.parquet")
    write_relations(sides.words, folder / "relations.parquet")
    write_modes(sides.words, folder / "modes.parquet")
    bounds = _bounds(asked, plan.library.transport)
    with opened(folder, bounds) as connection:
        for name in ("offers", "needs", "relations", "modes"):
            connection.execute(f"create table {name} as select * from read_parquet('{folder / name}.parquet')")  # noqa: S608 - names of our own
        progress(message("match.stage_count"), 0.3)
        count = count_pairs(connection, bounds, asked.least_fit)
        check_budget(connection, bounds, count, sides.words.concepts)
        progress(message("match.stage_join"), 0.5)
        found = find_pairs(connection, bounds, count, folder / "pairs.parquet", asked.rows)
    pairs = pl.read_parquet(folder / "pairs.parquet")
    matches = match_rows(pairs, sides.listings, sides.words, plan_exchanges(network, flows))
    standing = plan.tables["plants"].filter(pl.col("status") == "existing")["technology"].unique().to_list()
    tables = {
        "matches": matches,
        "takers": taker_rows(sides.listings, plan.library, standing),
        "names": name_rows(plan.library, _plan_names(plan), sides.words.concepts),
        "places": _place_rows(sides.listings),
        "rubbish": shaped(pl.DataFrame(), "rubbish"),
    }
    counts = [sides.listings.filter(pl.col("side") == side).height for side in ("offer", "need")]
    return _result(tables, sides.listings, found, (count.pairs, *counts), asked, dict(plan.inputs))


def _match_list(source: Path | str | pl.DataFrame, asked: MatchOptions, folder: Path, progress: Progress) -> Match:
    library = load_library()
    bounds = _bounds(asked, library.transport)
    with opened(folder, bounds) as connection:
        progress(message("match.stage_read"), 0.1)
        listed: Listed = read_listings(connection, source, library, folder, asked.folder)
        write_relations(listed.words, folder / "relations.parquet")
        write_modes(listed.words, folder / "modes.parquet")
        for name in ("relations", "modes"):
            connection.execute(f"create table {name} as select * from read_parquet('{folder / name}.parquet')")  # noqa: S608 - names of our own
        progress(message("match.stage_count"), 0.4)
        count = count_pairs(connection, bounds, asked.least_fit)
        check_budget(connection, bounds, count, listed.words.concepts)
        progress(message("match.stage_join"), 0.6)
        each = None if asked.folder is None else asked.folder / "best.parquet"
        found = find_pairs(connection, bounds, count, folder / "pairs.parquet", asked.rows, each)
        pairs = pl.read_parquet(folder / "pairs.parquet")
        listings = listed.shown(connection, pairs, folder, asked.rows)
    matches = match_rows(pairs, listings, listed.words)
    tables = {
        "matches": matches,
        "takers": taker_rows(listings, library, ()),
        "names": name_rows(library, shaped(pl.DataFrame(), "names"), listed.words.concepts),
        "places": _place_rows(listings),
        "rubbish": listed.rubbish,
    }
    return _result(tables, listings, found, (count.pairs, listed.offers, listed.needs), asked, listed.inputs)


def _bounds(asked: MatchOptions, transport: pl.DataFrame) -> Bounds:
    furthest = transport["reach_km"].max()
    reach = asked.reach_km or (float(furthest) if isinstance(furthest, int | float) else 300.0)
    return Bounds(reach, asked.budget, asked.memory_gb)


def _result(
    tables: dict[str, pl.DataFrame],
    listings: pl.DataFrame,
    found: Found,
    counts: tuple[int, ...],
    asked: MatchOptions,
    inputs: dict[str, str],
) -> Match:
    matches = tables["matches"]
    sides = {f"{side}s": side_rows(matches, listings, side) for side in ("offer", "need")}
    facts: dict[str, Any] = {
        "offers": counts[1],
        "needs": counts[2],
        "offers_matched": found.offers,
        "needs_matched": found.needs,
        "candidates": counts[0],
        "pairs": found.pairs,
        **{name: value for name, value in asdict(asked).items() if name not in ("folder", "memory_gb")},
    }
    return Match({**tables, **sides}, facts, inputs)


def _plan_names(plan: Plan) -> pl.DataFrame:
    english, chinese = pl.coalesce("name", "name_zh", "key"), pl.coalesce("name_zh", "name", "key")
    parts = [
        plan.tables[table]
        .select(pl.lit(kind).alias("kind"), pl.col(kind).alias("item"), pl.col(kind).alias("key"), "name", "name_zh")
        .with_columns(english.alias("name"), chinese.alias("name_zh"))
        .drop("key")
        for table, kind in (("sites", "site"), ("plants", "plant"))
    ]
    return pl.concat(parts)


def _place_rows(listings: pl.DataFrame) -> pl.DataFrame:
    rows = listings.filter(pl.col("lon").is_not_null() & pl.col("lat").is_not_null()).select(
        "lon", "lat", item=pl.coalesce("plant", "listing")
    )
    return shaped(rows.unique("item", keep="first").sort("item"), "places")
