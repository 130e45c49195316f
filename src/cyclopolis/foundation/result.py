"""What an engine answers: typed tables, a summary, figures, saved with a manifest.

A result class names its engine and the package whose ``columns.csv`` documents its tables, and adds ``summary()`` and
``figures()``. The faces (command line, report) need only the five names ``tables``, ``summary``, ``figures``, ``save``
and ``load``.
"""

import json
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl

import cyclopolis
from cyclopolis.foundation.columns import Column, read_columns
from cyclopolis.foundation.files import dump_json, write_folder_atomic
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.text import Language, Message

Figure = dict[str, Any]
"""A picture as plain data in Plotly's figure format (``data`` and ``layout``), drawn by the faces."""


@dataclass(frozen=True)
class Line:
    """One line of a summary: a name, a value with its unit, and where the value comes from.

    ``value`` is None when it is unknown; ``provenance`` is one of measured, user, seen, memory, assumed, computed.
    """

    name: Message
    value: float | str | None
    unit: str = ""
    provenance: str = "computed"


@dataclass(frozen=True)
class Result(ABC):
    """Base of all results.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        The answer; names, columns, types and units are those of the engine's ``columns.csv``.
    facts : mapping
        Plain values that describe the run (options, solver status, gap); part of the manifest.
    inputs : mapping
        Hash of every input file by name; part of the manifest.

    Raises
    ------
    ValueError
        If a table lacks a documented column, has one too many, or holds another type.
    """

    engine: ClassVar[str]
    columns_package: ClassVar[str]

    tables: Mapping[str, pl.DataFrame]
    facts: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = self.columns()
        for name, table in self.tables.items():
            if name not in known:
                raise ValueError(
                    f"{self.engine}: table {name!r} is not described in {self.columns_package}/columns.csv"
                )
            expected = {column.name: column.dtype for column in known[name]}
            if dict(table.schema) != expected:
                raise ValueError(f"{self.engine}: table {name!r} has {dict(table.schema)}, documented is {expected}")

    @classmethod
    def columns(cls) -> Mapping[str, tuple[Column, ...]]:
        """Return the documented columns of each table."""
        return read_columns(cls.columns_package)

    @abstractmethod
    def summary(self) -> tuple[Line, ...]:
        """Return the few numbers that answer the question, with units and provenance."""

    @abstractmethod
    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the result's pictures by name, with texts in ``language``."""

    def files(self) -> Mapping[str, str]:
        """Return texts by file name that other programs read, saved beside the tables; most results have none."""
        return {}

    def save(self, folder: Path) -> None:
        """Write tables as Parquet, `files` and ``manifest.json``; the folder is replaced whole or left as it was."""

        def fill(target: Path) -> None:
            for name, table in self.tables.items():
                table.write_parquet(target / f"{name}.parquet")
            for name, text in self.files().items():
                (target / name).write_text(text, encoding="utf-8")
            (target / "manifest.json").write_text(dump_json(self.manifest()), encoding="utf-8")

        write_folder_atomic(folder, fill)

    def manifest(self) -> dict[str, Any]:
        """Return what made this result: engine, versions, options and facts, input hashes, tables with row counts."""
        return {
            "engine": self.engine,
            "versions": {"cyclopolis": cyclopolis.__version__, "python": platform.python_version()},
            "facts": dict(self.facts),
            "inputs": dict(self.inputs),
            "tables": {name: table.height for name, table in self.tables.items()},
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved result.

        Raises
        ------
        UserError
            If the folder holds no result of this engine.
        """
        path = folder / "manifest.json"
        if not path.is_file():
            raise user_error("result.missing_manifest", folder=folder, engine=cls.engine)
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["engine"] != cls.engine:
            raise user_error("result.wrong_engine", folder=folder, found=manifest["engine"], engine=cls.engine)
        tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in manifest["tables"]}
        return cls(tables=tables, facts=manifest["facts"], inputs=manifest["inputs"])
