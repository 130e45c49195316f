"""Safe files, columns as data, results that load as they were saved."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from cyclopolis.foundation.columns import empty_table, read_columns
from cyclopolis.foundation.files import dump_json, hash_file, write_atomic, write_folder_atomic
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message


class Stop(BaseException):
    """Stands for Ctrl-C in the middle of writing."""


def test_an_interrupted_file_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def stop(self: Path, target: Path) -> Path:
        raise Stop

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(Stop):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_folder_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    write_folder_atomic(folder, lambda target: write_atomic(target / "a", "old"))

    def fill(target: Path) -> None:
        write_atomic(target / "a", "new")
        raise Stop

    with pytest.raises(Stop):
        write_folder_atomic(folder, fill)
    assert (folder / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [folder]
    write_folder_atomic(folder, lambda target: write_atomic(target / "b", "new"))
    assert [path.name for path in folder.iterdir()] == ["b"]


def test_the_same_value_gives_the_same_bytes(tmp_path: Path) -> None:
    assert dump_json({"b": 1, "a": "煤"}) == dump_json({"a": "煤", "b": 1})
    write_atomic(tmp_path / "x", b"abc")
    assert hash_file(tmp_path / "x").startswith("ba7816bf")


class Sample(Result):
    engine: ClassVar[str] = "sample"
    columns_package: ClassVar[str] = "cyclopolis.plan.schema"

    def summary(self) -> tuple[Line, ...]:
        return (Line(message("language.name"), self.tables["exclusions"].height, "1"),)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        return {"none": {"data": [], "layout": {"title": language}}}


def exclusions() -> pl.DataFrame:
    row = {"group": "a", "plant": "p", "source": "x", "note": None}
    return pl.DataFrame([row], schema=empty_table(read_columns("cyclopolis.plan.schema")["exclusions"]).schema)


def test_a_result_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    result = Sample(tables={"exclusions": exclusions()}, facts={"gap": 0.001}, inputs={"plan.toml": "00"})
    result.save(tmp_path / "r")
    again = Sample.load(tmp_path / "r")
    assert again.tables["exclusions"].equals(exclusions())
    assert (again.facts, again.inputs) == (result.facts, result.inputs)
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert manifest["tables"] == {"exclusions": 1}
    assert manifest["versions"]["cyclopolis"]
    assert again.summary()[0].value == 1


def test_a_result_of_another_engine_is_refused(tmp_path: Path) -> None:
    Sample(tables={}).save(tmp_path / "r")
    path = tmp_path / "r" / "manifest.json"
    path.write_text(path.read_text().replace("sample", "other"))
    with pytest.raises(UserError, match="other"):
        Sample.load(tmp_path / "r")
    with pytest.raises(UserError, match="run the engine first"):
        Sample.load(tmp_path / "empty")


def test_an_undocumented_table_is_refused() -> None:
    with pytest.raises(ValueError, match="not described"):
        Sample(tables={"wrong": pl.DataFrame()})
    with pytest.raises(ValueError, match="documented is"):
        Sample(tables={"exclusions": exclusions().drop("note")})


def test_a_problem_says_where_what_and_how() -> None:
    problem = Problem(
        message("language.name"),
        file="plants.csv",
        sheet="s",
        row=3,
        column="site",
        value="Donggo",
        suggestion="Donggu",
    )
    assert problem.render("en") == (
        "error: file plants.csv, sheet s, row 3, column site, value “Donggo”: English did you mean “Donggu”?"
    )
    assert "第 3 行" in problem.render("zh")
    assert problem.as_dict("en")["row"] == 3
    error = user_error("result.wrong_engine", folder="f", found="a", engine="b")
    assert len(error.problems) == 1
    assert "f holds" in str(error)
