"""Values in the units of the schema: the row's ``unit`` column, the header's, or the schema's own."""

import re
from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import Message
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable, nearest
from cyclopolis.plan.schema import columns, quantities, tables
from cyclopolis.plan.units import factor
from cyclopolis.plan.units import names as unit_names

_TARGET = "@target"
_REFERENCE = re.compile(r"(@\w+)")


def target_units(unit: str, frame: pl.DataFrame, units: Mapping[str, pl.DataFrame]) -> pl.Series:
    """Return the unit in which each row's value is held.

    Parameters
    ----------
    unit : str
        The column's unit in the schema, for one ``CNY/@commodity``.
    frame : polars.DataFrame
        The table's rows.
    units : mapping
        ``commodity``, ``technology`` and ``substance``: tables with the columns ``name`` and ``unit`` (of the main
        commodity).

    Returns
    -------
    polars.Series of str
        Null where a row's commodity, technology or substance is not known.
    """

    def look_up(kind: str, column: str) -> pl.Series:
        names = frame.select(pl.col(column).alias("name"))
        return names.join(units[kind], on="name", how="left", maintain_order="left")["unit"]

    parts: dict[str, pl.Series] = {}
    if "@main" in unit:
        parts["@main"] = look_up("technology", "technology")
    if "@commodity" in unit and "commodity" in frame.columns:
        parts["@commodity"] = look_up("commodity", "commodity")
    if "@substance" in unit:
        parts["@substance"] = look_up("substance", "substance")
    if "@displaced" in unit:
        parts["@displaced"] = look_up("commodity", "displaced")
    if "@quantity" in unit:
        known = quantities()
        parts["@quantity"] = frame["quantity"].replace_strict(
            list(known), [quantity.unit for quantity in known.values()], default=None, return_dtype=pl.String
        )
    if not parts:
        return pl.Series(_TARGET, [unit] * frame.height, dtype=pl.String)
    pieces = [
        (pl.col(piece) if position == 1 else pl.concat_str(pl.lit("("), pl.col(piece), pl.lit(")")))
        if piece in parts
        else pl.lit(piece)
        for position, piece in enumerate(_REFERENCE.split(unit))
    ]
    return pl.DataFrame(parts).select(pl.concat_str(pieces).alias(_TARGET)).to_series()


def apply_units(
    text: TextTable, frame: pl.DataFrame, units: Mapping[str, pl.DataFrame]
) -> tuple[pl.DataFrame, list[Problem]]:
    """Convert a table's numbers to the units of the schema.

    Parameters
    ----------
    text : TextTable
        The table as written, for the places of problems and the units in its headers.
    frame : polars.DataFrame
        Its typed rows.
    units : mapping
        See `target_units`.

    Returns
    -------
    table with converted values (unit columns keep the text given), and a problem for each unit that names nothing or
    measures something else
    """
    problems: list[Problem] = []
    if frame.is_empty():
        return frame, problems
    ruled = {column: unit for unit, names in tables()[text.table].units.items() for column in names}
    for column in columns()[text.table]:
        given = text.header_units.get(column.name)
        if column.name not in ruled and given is None:
            continue
        if given is None and frame[ruled[column.name]].null_count() == frame.height:
            continue
        unit = pl.lit(given, dtype=pl.String) if given is not None else pl.col(ruled[column.name])
        pairs = frame.select(
            unit.alias("unit"),
            pl.lit(target_units(column.unit, frame, units)).alias("target"),
            pl.col(column.name).is_not_null().alias("filled"),
        )
        distinct = pairs.filter("filled").select("unit", "target").drop_nulls().unique()
        results = {(one, two): factor(one, two) for one, two in distinct.rows()}
        wrong = {pair: said for pair, said in results.items() if isinstance(said, Message)}
        right = {pair: said for pair, said in results.items() if not isinstance(said, Message) and said != 1.0}
        if given is not None and column.name in ruled:
            problems += _given_twice(text, ruled[column.name], given, frame, pairs)
        if right:
            frame = _scale(frame, column, pairs, right)
        if wrong:
            shown = column.name if given is not None else ruled[column.name]
            problems += _wrong(text, shown, frame.with_columns(pairs), wrong, header=given is not None)
    return frame, _once(problems)


def _scale(
    frame: pl.DataFrame, column: Column, pairs: pl.DataFrame, factors: Mapping[tuple[str, str], float]
) -> pl.DataFrame:
    """Multiply a column by each row's factor."""
    table = pl.DataFrame(
        {
            "unit": [unit for unit, _ in factors],
            "target": [target for _, target in factors],
            "factor": list(factors.values()),
        }
    )
    found = pairs.join(table, on=["unit", "target"], how="left", maintain_order="left")["factor"].fill_null(1.0)
    return frame.with_columns((frame[column.name] * found).alias(column.name))


def _given_twice(text: TextTable, column: str, header: str, frame: pl.DataFrame, pairs: pl.DataFrame) -> list[Problem]:
    """Return a problem for each row whose unit is another than that in the header of its value."""
    rows = frame.select(ROW, PLACE, pl.col(column).alias("own")).with_columns(pairs)
    rows = rows.filter(pl.col("filled") & pl.col("own").is_not_null() & pl.col("target").is_not_null())
    return [
        text.problem("plan.unit_twice", row, place=place, column=column, value=own, header=header)
        for row, place, own, target in rows.select(ROW, PLACE, "own", "target").iter_rows()
        if factor(own, target) != factor(header, target)
    ]


def _wrong(
    text: TextTable, column: str, rows: pl.DataFrame, wrong: Mapping[tuple[str, str], Message], *, header: bool
) -> list[Problem]:
    """Return a problem for each row whose unit cannot be used; one alone for a unit in a header."""
    found = []
    for row, place, unit, target in rows.filter("filled").select(ROW, PLACE, "unit", "target").iter_rows():
        said = wrong.get((unit, target))
        if said is None:
            continue
        near = nearest(unit, unit_names()) if said.key == "plan.unit_unknown" else ""
        problem = text.problem(said, None if header else row, place=place, column=column, value=unit, suggestion=near)
        found.append(problem)
        if header:
            break
    return found


def _once(problems: list[Problem]) -> list[Problem]:
    """Return each problem once: a unit that two columns share is wrong once."""
    seen: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.text.key, problem.file, problem.row, problem.column, problem.value), problem)
    return list(seen.values())
