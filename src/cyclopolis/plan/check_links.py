"""Checks of what flows: measurements, exchanges and recipes against technologies, and surpluses with nowhere to go."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.library import Library
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable, nearest
from cyclopolis.plan.surplus import library_treatments, placeless_surplus, takers_of

_LISTED = 3


def ports_of(library: Library) -> dict[tuple[str, str], set[str]]:
    """Return the commodities of each technology and direction; substitutes count among what it takes."""
    ports: dict[tuple[str, str], set[str]] = {}
    for technology, direction, commodity in library.recipes.select("technology", "direction", "commodity").iter_rows():
        ports.setdefault((technology, direction), set()).add(commodity)
    for technology, commodity in library.substitutions.select("technology", "commodity").iter_rows():
        ports.setdefault((technology, "in"), set()).add(commodity)
    return ports


def technologies_of(frames: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Return the technology of each plant."""
    return dict(frames["plants"].select("plant", "technology").drop_nulls().rows())


def check_measurements(text: TextTable, frames: Mapping[str, pl.DataFrame], library: Library) -> Iterator[Problem]:
    """Check that a measurement says where it was taken, and that its commodity passes there."""
    if frames["measurements"].is_empty():
        return
    ports, technologies = ports_of(library), technologies_of(frames)
    for row in frames["measurements"].iter_rows(named=True):
        number, place = row[ROW], row[PLACE]
        port = row["plant"] is not None and row["direction"] is not None
        way = row["from_plant"] is not None and row["to_plant"] is not None
        some_port = row["plant"] is not None or row["direction"] is not None
        some_way = row["from_plant"] is not None or row["to_plant"] is not None
        if port == way or (port and some_way) or (way and some_port):
            yield text.problem("plan.measured_where", number, place=place, column="plant")
            continue
        if way and row["from_plant"] == row["to_plant"]:
            yield text.problem("plan.same_plant", number, place=place, column="to_plant", value=row["to_plant"])
            continue
        yield from one_uncertainty(text, row)
        ends = [(row["plant"], row["direction"])] if port else [(row["from_plant"], "out"), (row["to_plant"], "in")]
        for plant, direction in ends:
            yield from passes(text, row, plant, direction, technologies, ports)


def one_uncertainty(text: TextTable, row: Mapping[str, Any]) -> Iterator[Problem]:
    """Check that a row gives its uncertainty in one way at most."""
    doubts = [name for name in ("uncertainty", "uncertainty_pct", "half_width") if row[name] is not None]
    if len(doubts) > 1:
        yield text.problem("plan.two_uncertainties", row[ROW], place=row[PLACE], column=doubts[-1])


def passes(
    text: TextTable,
    row: Mapping[str, Any],
    plant: str,
    direction: str,
    technologies: Mapping[str, str],
    ports: Mapping[tuple[str, str], set[str]],
) -> Iterator[Problem]:
    """Check that the commodity of a row passes into or out of a plant; a plant that is not known says nothing."""
    technology = technologies.get(plant)
    known = ports.get((technology or "", direction), set())
    if technology is not None and row["commodity"] is not None and row["commodity"] not in known:
        yield text.problem(
            f"plan.not_{direction}", row[ROW], place=row[PLACE], column="commodity", value=row["commodity"],
            suggestion=nearest(row["commodity"], sorted(known)), plant=plant, technology=technology,
        )  # fmt: skip


def check_exchanges(text: TextTable, frames: Mapping[str, pl.DataFrame], library: Library) -> Iterator[Problem]:
    """Check that the giver makes and the taker takes what is exchanged, and that an existing one has existing ends."""
    if frames["exchanges"].is_empty():
        return
    technologies = technologies_of(frames)
    status = dict(frames["plants"].select("plant", "status").drop_nulls().rows())
    recipe: dict[tuple[str, str], set[str]] = {}
    for technology, direction, commodity in library.recipes.select("technology", "direction", "commodity").iter_rows():
        recipe.setdefault((technology, direction), set()).add(commodity)
    displaces: dict[tuple[str, str], set[str]] = {}
    links = library.substitutions.select("technology", "commodity", "displaced")
    for technology, commodity, displaced in links.iter_rows():
        displaces.setdefault((technology, commodity), set()).add(displaced)
    for row in frames["exchanges"].iter_rows(named=True):
        if row["from_plant"] is not None and row["from_plant"] == row["to_plant"]:
            yield text.problem("plan.same_plant", row[ROW], place=row[PLACE], column="to_plant", value=row["to_plant"])
            continue
        yield from _exchange_status(text, row, status)
        if row["commodity"] is None:
            continue
        giver, taker = technologies.get(row["from_plant"]), technologies.get(row["to_plant"])
        if giver is not None and row["commodity"] not in (made := recipe.get((giver, "out"), set())):
            yield text.problem(
                "plan.not_out", row[ROW], place=row[PLACE], column="commodity", value=row["commodity"],
                suggestion=nearest(row["commodity"], sorted(made)), plant=row["from_plant"], technology=giver,
            )  # fmt: skip
        if taker is not None:
            places = displaces.get((taker, row["commodity"]), set())
            yield from _exchange_taken(text, row, taker, recipe.get((taker, "in"), set()), places)


def _exchange_status(text: TextTable, row: Mapping[str, Any], status: Mapping[str, str]) -> Iterator[Problem]:
    """Check that both ends of an existing exchange stand."""
    for column in ("from_plant", "to_plant"):
        found = status.get(row[column], "existing")
        if row["status"] == "existing" and found != "existing":
            yield text.problem(
                "plan.exchange_of_future", row[ROW], place=row[PLACE], column=column, value=row[column], status=found
            )


def _exchange_taken(
    text: TextTable, row: Mapping[str, Any], technology: str, taken: set[str], displaced: set[str]
) -> Iterator[Problem]:
    """Check that the taker's recipe names what it gets, or that a substitution says what that takes the place of."""
    commodity, instead = row["commodity"], row["as_commodity"]
    wanted = instead or commodity
    where: dict[str, Any] = {"place": row[PLACE], "column": "as_commodity" if instead else "commodity", "value": wanted}
    if wanted not in taken and displaced and not instead:
        said = message(
            "plan.says_not_as", plant=row["to_plant"], technology=technology, displaced=", ".join(sorted(displaced))
        )
        yield text.problem(said, row[ROW], **where)
    elif wanted not in taken:
        said = message("plan.not_in", plant=row["to_plant"], technology=technology)
        yield text.problem(said, row[ROW], **where, suggestion=nearest(wanted, sorted(taken)))
    elif wanted != commodity and wanted not in displaced:
        said = message("plan.no_substitution", commodity=commodity, technology=technology)
        yield text.problem(said, row[ROW], **where, suggestion=nearest(wanted, sorted(displaced)))


def check_recipes(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], library: Library
) -> Iterator[Problem]:
    """Check that recipes have their main commodity at 1, and that a substitution displaces something taken."""
    touched = {*frames["technologies"]["technology"].drop_nulls(), *frames["recipes"]["technology"].drop_nulls()}
    used = {*frames["plants"]["technology"].drop_nulls(), *touched}
    main = library.technologies.select("technology", "main_commodity", "main_direction")
    heads = {technology: (commodity, direction) for technology, commodity, direction in main.iter_rows()}
    amounts = {
        (technology, commodity, direction): amount
        for technology, commodity, direction, amount in library.recipes.select(
            "technology", "commodity", "direction", "amount"
        ).iter_rows()
    }
    own = {row["technology"]: row for row in frames["technologies"].iter_rows(named=True)}
    key = ("technology", "commodity", "direction")
    rows = {tuple(row[name] for name in key): row for row in frames["recipes"].iter_rows(named=True)}
    for technology in sorted(used & set(heads)):
        commodity, direction = heads[technology]
        amount = amounts.get((technology, commodity, direction))
        if commodity is None or (amount is not None and abs(amount - 1) < 1e-9):
            continue
        table = "technologies" if amount is None else "recipes"
        row = own.get(technology, {}) if amount is None else rows.get((technology, commodity, direction), {})
        said = message(
            "plan.no_main" if amount is None else "plan.main_not_one",
            commodity=commodity, direction=direction, amount=f"{amount or 0:g}",
        )  # fmt: skip
        column = "technology" if amount is None else "amount"
        value = None if row else technology
        yield texts[table].problem(said, row.get(ROW), place=row.get(PLACE), column=column, value=value)
    taken = {(technology, commodity) for technology, commodity, direction in amounts if direction == "in"}
    for row in frames["substitutions"].iter_rows(named=True):
        pair = (row["technology"], row["displaced"])
        if None in pair or pair in taken:
            continue
        near = nearest(row["displaced"], sorted(commodity for name, commodity in taken if name == row["technology"]))
        yield texts["substitutions"].problem(
            "plan.displaces_nothing", row[ROW], place=row[PLACE], column="displaced", value=row["displaced"],
            suggestion=near, technology=row["technology"],
        )  # fmt: skip


def check_stores(text: TextTable, frames: Mapping[str, pl.DataFrame], library: Library) -> Iterator[Problem]:
    """Check that a plant takes or gives what is stored beside it."""
    technologies, ports = technologies_of(frames), ports_of(library)
    measured = set(frames["measurements"].select("plant", "commodity").drop_nulls().iter_rows())
    for row in frames["stores"].iter_rows(named=True):
        technology, commodity = technologies.get(row["plant"]), row["commodity"]
        if technology is None or commodity is None or (row["plant"], commodity) in measured:
            continue
        own = ports.get((technology, "in"), set()) | ports.get((technology, "out"), set())
        if commodity not in own:
            yield text.problem(
                "plan.stores_nothing", row[ROW], place=row[PLACE], column="commodity", value=commodity,
                suggestion=nearest(commodity, sorted(own)), plant=row["plant"], technology=technology,
            )  # fmt: skip


def check_surplus(text: TextTable, frames: Mapping[str, pl.DataFrame], library: Library) -> Iterator[Problem]:
    """Note each commodity that plants to be built would make and that has no market, no user and no lawful fate.

    A treatment of the library, which design may build there, is named; else the technologies that take it.
    """
    lost = placeless_surplus(frames, library)
    treatments, takers = library_treatments(library), takers_of(library)
    for (commodity,), rows in lost.group_by("commodity", maintain_order=True):
        names = rows["plant"].unique(maintain_order=True).to_list()
        treating = treatments.filter(commodity=commodity)["technology"].to_list()
        able = treating or sorted(set(takers.filter(commodity=commodity)["technology"]))
        key = "treated_by_library" if treating else "nowhere_but_library" if able else "nowhere_to_go"
        yield text.problem(
            f"plan.{key}", column="technology", value=str(commodity),
            severity="notice", plants=_first(names), count=len(names), technologies=_first(able),
        )  # fmt: skip


def _first(names: list[str]) -> str:
    """Return the first few names."""
    return ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
