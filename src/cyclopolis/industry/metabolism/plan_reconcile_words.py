"""What a reconciliation says in a few lines."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from cyclopolis.foundation.result import Line
from cyclopolis.foundation.text import Message, message

SAID: Final = 3
"""Most suspects named in a summary."""


def reconcile_lines(tables: Mapping[str, pl.DataFrame]) -> tuple[Line, ...]:
    """Return the verdict on the measurements, the suspects, and what the plan would be without the first.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        Tables of a balance; without measurements nothing is said.

    Examples
    --------
    >>> reconcile_lines({"reconcile_tests": pl.DataFrame()})
    ()
    """
    if "reconcile_tests" not in tables or tables["reconcile_tests"].is_empty():
        return ()
    test = tables["reconcile_tests"].row(0, named=True)
    corrected = tables["reconciled_plants"].filter(pl.col("basis") == "corrected").height
    lines = [
        Line(message("reconciled.measurements"), float(test["measurements"]), "1"),
        Line(message("reconciled.corrected"), float(corrected), "1"),
        _verdict(test),
    ]
    if test["overruled"]:
        lines.append(Line(message("reconciled.overruled"), float(test["overruled"]), "1"))
    suspects = tables["suspects"].filter(pl.col("suspect"))
    lines += [Line(_suspect(row), row["local_test"], "1") for row in suspects.head(SAID).iter_rows(named=True)]
    if suspects.height and suspects["dof"][0] > 0:
        first = suspects.row(0, named=True)
        text = message("reconciled.without_first", chi_square=first["chi_square"], dof=first["dof"])
        lines.append(Line(text, first["p"], "1"))
    if tables["missing_measurements"].height:
        lines.append(Line(message("reconciled.missing"), float(tables["missing_measurements"].height), "1"))
    return tuple(lines)


def _verdict(test: Mapping[str, float | int | bool | None]) -> Line:
    """Return the line of the global test."""
    if test["accepted"] is None:
        return Line(message("reconciled.untested"), 0.0, "1")
    key = "reconciled.accepted" if test["accepted"] else "reconciled.rejected"
    return Line(message(key, chi_square=test["chi_square"], dof=test["dof"]), test["p"], "1")


def _suspect(row: Mapping[str, object]) -> Message:
    """Return what a suspect is called."""
    if row["source"] != "measurement" or row["row"] is None:
        return message("reconciled.suspect_other", **{name: row[name] for name in ("rank", "commodity", "plant")})
    where = "rank", "file", "row", "commodity"
    if str(row["kind"]).startswith("stock"):
        return message(
            "reconciled.suspect_stock", place=row["plant"] or row["site"], **{name: row[name] for name in where}
        )
    if row["kind"] == "concentration":
        return message("reconciled.suspect_content", layer=row["layer"], **{name: row[name] for name in where})
    names = ("rank", "commodity", "plant", "to_plant", "file", "row")
    key = "reconciled.suspect_flow" if row["to_plant"] else "reconciled.suspect_port"
    return message(key, **{name: row[name] for name in names})
