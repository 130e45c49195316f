"""Checks of what cannot be meant: limits that clash, years that have passed, gains that need no work; see `check`."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.check_rows import plain
from cyclopolis.plan.headers import TextTable, nearest
from cyclopolis.plan.schema import tables

_SIGNED = ("fiscal_revenue", "society_score")
"""Quantities that may be negative: what one place must have says nothing of a place around it."""
_ALWAYS = -1
"""Year of a row that always holds."""
_LISTED = 3
_PATCH = "patch_ha"
"""Item of ``land_thresholds`` that is no measure and no factor: the least patch."""
_WANTED: Mapping[str, tuple[str, ...]] = {
    "pollution_equivalents": ("medium",),
    "pollution_rates": ("rate_low", "rate_high"),
    "environment_rates": ("rate",),
    "society_weights": ("weight", "reference"),
    "exposure_bands": ("from_km", "to_km", "weight"),
    "hazards": ("weight",),
    "taxes": ("basis", "rate", "local_share"),
    "land_thresholds": ("basis", "bound"),
}
"""Cells that a row of factors needs once it lies over the library's."""


def check_years(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], base_year: int | None
) -> Iterator[Problem]:
    """Note rows of markets and limits, and earliest years of building, that lie before the base year.

    Such a row holds from the base year on, so nothing is wrong with it but perhaps the digits.
    """
    if base_year is None:
        return
    future = frames["plants"].filter(pl.col("status") != "existing")
    for table, rows, column in (
        ("markets", frames["markets"], "year"),
        ("limits", frames["limits"], "year"),
        ("plants", future, "build_from"),
    ):
        for row, place in rows.filter(pl.col(column) < base_year).select(ROW, PLACE).iter_rows():
            yield texts[table].problem(
                "plan.before_base", row, place=place, column=column, severity="notice", base_year=base_year
            )


def check_budget(text: TextTable, limits: pl.DataFrame) -> Iterator[Problem]:
    """Note a budget of nought: nothing could be built."""
    none = limits.filter((pl.col("quantity") == "budget") & (pl.col("max") <= 0))
    for row, place in none.select(ROW, PLACE).iter_rows():
        yield text.problem("plan.no_budget", row, place=place, column="max", severity="notice")


def check_opex(text: TextTable, plants: pl.DataFrame, technologies: pl.DataFrame) -> Iterator[Problem]:
    """Note plants to be built whose operating cost, and nothing else, neither the plan nor the library knows."""
    known = technologies.filter(pl.col("opex").is_not_null())["technology"].to_list()
    priced = technologies.filter(pl.col("capex").is_not_null())["technology"].to_list()
    unknown = (
        (pl.col("status") != "existing")
        & pl.col("opex").is_null()
        & (pl.col("capex").is_not_null() | pl.col("technology").is_in(priced))
        & pl.col("technology").is_not_null()
        & ~pl.col("technology").is_in(known)
    )
    for row, place, technology in plants.filter(unknown).select(ROW, PLACE, "technology").iter_rows():
        yield text.problem("plan.no_opex", row, place=place, column="opex", severity="notice", technology=technology)


def _holding(limits: pl.DataFrame, year: int) -> list[dict[str, Any]]:
    """Return the rows that hold in a year: of each scope and quantity the newest that has begun."""
    begun = limits.with_columns(start=pl.col("year").fill_null(_ALWAYS)).filter(pl.col("start") <= year)
    newest = begun.filter(pl.col("start") == pl.col("start").max().over("scope", "quantity"))
    return newest.sort("quantity", ROW).to_dicts()


def check_limits(text: TextTable, frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that no place may have less than the places inside it must have together, in any year."""
    limits = frames["limits"].filter(~pl.col("quantity").is_in(_SIGNED) & pl.col("quantity").is_not_null())
    inside: dict[str | None, list[str]] = {}
    for site, parent in frames["sites"].select("site", "parent").iter_rows():
        inside.setdefault(parent if parent != site else None, []).append(site)
    said: set[tuple[int, str | None]] = set()
    for year in sorted({_ALWAYS, *limits["year"].drop_nulls()}):
        rows = _holding(limits, year)
        for quantity in sorted({row["quantity"] for row in rows}):
            held = [row for row in rows if row["quantity"] == quantity]
            least = {row["scope"]: row["min"] for row in held if row["min"] is not None}
            for row in held:
                key = (row[ROW], row[PLACE])
                if row["max"] is None or key in said:
                    continue
                need, names = _needed(inside, least, row["scope"], set())
                if need > row["max"] * (1 + 1e-9) and need > 0:
                    said.add(key)
                    shown = ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
                    yield text.problem(
                        "plan.limits_clash", row[ROW], place=row[PLACE], column="max", need=plain(need), places=shown
                    )


def _needed(
    inside: Mapping[str | None, list[str]], least: Mapping[str | None, float], scope: str | None, seen: set[str | None]
) -> tuple[float, list[str]]:
    """Return how much the places inside one must have at least, and which places say so."""
    total, names = 0.0, list[str]()
    for site in inside.get(scope, []):
        if site in seen:
            continue
        below, named = _needed(inside, least, site, {*seen, site})
        own = least.get(site) or 0.0
        total += max(own, below)
        names += [site] if own >= below and own > 0 else named
    return total, names


def check_gifts(text: TextTable, markets: pl.DataFrame) -> Iterator[Problem]:
    """Note a commodity that sells dearer than it can be bought at the same place: a gain without work."""
    rows = markets.with_columns(start=pl.col("year").fill_null(_ALWAYS)).drop_nulls("commodity")
    said: set[tuple[int, str | None]] = set()
    for (_commodity, _site), group in rows.group_by("commodity", "site", maintain_order=True):
        for year in sorted(set(group["start"])):
            held = group.filter(pl.col("start") <= year)
            sell = held.filter(pl.col("sell_price").is_not_null())
            buy = held.filter(pl.col("buy_price").is_not_null())
            sell = sell.filter(pl.col("start") == pl.col("start").max()).sort("sell_price", ROW)
            buy = buy.filter(pl.col("start") == pl.col("start").max()).sort("buy_price", ROW)
            if sell.is_empty() or buy.is_empty():
                continue
            dear, cheap = sell.row(-1, named=True), buy.row(0, named=True)
            key = (dear[ROW], dear[PLACE])
            gain = dear["sell_price"] - cheap["buy_price"]
            if gain > 0 and key not in said:
                said.add(key)
                yield text.problem(
                    "plan.sells_dearer", dear[ROW], place=dear[PLACE], column="sell_price", severity="notice",
                    buy=plain(cheap["buy_price"]), other=cheap[ROW], gain=plain(gain),
                )  # fmt: skip


def check_loops(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], library: Library
) -> Iterator[Problem]:
    """Check that no recipe of the plan's own closes a loop that makes matter: more comes back than was put in.

    Looked at are technologies with one single feedstock: one that makes more of what it takes, and pairs of which each
    makes the other's feedstock. A loop without loss that gains could run without end.
    """
    own = {*frames["technologies"]["technology"].drop_nulls(), *frames["recipes"]["technology"].drop_nulls()}
    steps = _single_feedstocks(library)
    for name in sorted(own & set(steps)):
        taken, made, _ = steps[name]
        others = [(name,)] if taken == made else [(name, other) for other, step in sorted(steps.items())
                                                  if other != name and (step[0], step[1]) == (made, taken)]  # fmt: skip
        for loop in others:
            factor = 1.0
            for technology in loop:
                factor /= steps[technology][2]
            if factor > 1 + 1e-9 and loop[0] == min(set(loop) & own):
                row = _recipe_row(frames, name, taken)
                yield texts["recipes"].problem(
                    "plan.free_loop", row.get(ROW), place=row.get(PLACE), column="amount",
                    value=None if row else name,
                    loop=" > ".join([taken, *(steps[technology][1] for technology in loop)]),
                    technologies=", ".join(loop), factor=f"{factor:.4g}",
                )  # fmt: skip


def _recipe_row(frames: Mapping[str, pl.DataFrame], technology: str, commodity: str) -> dict[str, Any]:
    """Return the plan's recipe row of a technology's feedstock, else any of the technology's, else nothing."""
    rows = frames["recipes"].filter(technology=technology).sort(ROW).to_dicts()
    return next((row for row in rows if row["commodity"] == commodity), rows[0] if rows else {})


def _single_feedstocks(library: Library) -> dict[str, tuple[str, str, float]]:
    """Return feedstock, product and amount of feedstock per product of technologies with one single feedstock."""
    kinds = library.commodities.select("commodity", "kind", "natural")
    recipes = library.recipes.join(kinds, on="commodity", how="left").filter(
        (pl.col("direction") == "in") & (pl.col("kind") == "material") & (pl.col("amount") > 0)
    )
    single = recipes.filter(pl.len().over("technology") == 1)
    single = single.filter(~pl.col("natural").fill_null(value=False))
    heads = library.technologies.filter(pl.col("main_direction").fill_null("out") == "out").select(
        "technology", "main_commodity"
    )
    rows = single.join(heads, on="technology").select("technology", "commodity", "main_commodity", "amount")
    return {row[0]: (row[1], row[2], row[3]) for row in rows.drop_nulls().iter_rows()}


def check_factors(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], library: Library
) -> Iterator[Problem]:
    """Check that rows of factors are whole once they lie over the library's, and that their regions exist."""
    merged = library.tables()
    for table, wanted in _WANTED.items():
        key = list(tables()[table].key)
        whole = frames[table].select(*key, ROW, PLACE).drop_nulls(key).join(merged[table], on=key, how="left")
        for row in whole.sort(ROW).iter_rows(named=True):
            names = (*wanted, _amount(row["medium"])) if table == "pollution_equivalents" else wanted
            for name in names:
                if name and row[name] is None and not texts[table].cell(row[ROW], row[PLACE], name):
                    yield texts[table].problem(
                        "plan.new_needs", row[ROW], place=row[PLACE], column=name, name=str(row[key[0]])
                    )
    empty = frames["society_weights"].filter(pl.col("reference") == 0)
    for row, place in empty.select(ROW, PLACE).iter_rows():
        yield texts["society_weights"].problem("plan.no_reference", row, place=place, column="reference")
    sensitive = library.land_formulas.filter(pl.col("kind") == "sensitivity")["factors"].str.split(";").explode()
    items = sorted({*library.land_formulas["measure"], *sensitive, _PATCH})
    for item, row, place in (
        frames["land_thresholds"].filter(~pl.col("item").is_in(items)).select("item", ROW, PLACE).iter_rows()
    ):
        yield texts["land_thresholds"].problem(
            "plan.unknown_threshold", row, place=place, column="item", value=item, suggestion=nearest(item, items),
            items=", ".join(items),
        )  # fmt: skip
    known = {*library.regions["region"], *library.regions["region_zh"], *library.grid_factors["region"],
             *library.grid_factors["region_zh"].drop_nulls(), *frames["sites"]["grid_region"].drop_nulls()}  # fmt: skip
    lost = frames["pollution_rates"].filter(~pl.col("region").is_in(sorted(known)))
    for region, row, place in lost.select("region", ROW, PLACE).iter_rows():
        yield texts["pollution_rates"].problem(
            "plan.unknown_region", row, place=place, column="region", severity="notice",
            suggestion=nearest(region, sorted(known)),
        )  # fmt: skip


def _amount(medium: str | None) -> str:
    """Return the column that a pollutant of a medium needs."""
    return {"air": "equivalent_kg", "water": "equivalent_kg", "solid": "rate_cny_per_t"}.get(medium or "", "")
