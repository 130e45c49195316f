"""Lines, tables, JSON and progress on the terminal."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.cli.console import Watch, _Ticker, out_json, plain, show_problems, table_lines, width
from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_writes_over_one_line_on_a_terminal() -> None:
    stream = Terminal()
    ticker = _Ticker(stream, "en")
    ticker(message("study.stage_read"), 0.25)
    ticker(message("study.stage_design"))
    ticker.end()
    text = stream.getvalue()
    assert "\n" not in text
    assert "Reading and checking the plan 25%" in text
    assert text.endswith("\r\x1b[K")


def test_progress_writes_a_line_per_stage_elsewhere() -> None:
    stream = io.StringIO()
    ticker = _Ticker(stream, "zh")
    for _ in range(2):
        ticker(message("study.stage_read"), 0.25)
    ticker.end()
    assert stream.getvalue() == "正在读取并检查规划\n"


def test_quiet_watches_nothing(capsys) -> None:
    with Watch(quiet=True, language="en") as progress:
        progress(message("study.stage_read"))
    assert capsys.readouterr().err == ""


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_columns_line_up_whatever_the_texts(rows: list[tuple[str, str]]) -> None:
    clean = [tuple("".join(c for c in text if c.isprintable()).strip() for text in row) for row in rows]
    lines = table_lines(["a", "b"], clean, [False, True])
    assert len(lines) == len(rows) + 2
    ends = {width(line) for line, row in zip(lines[2:], clean, strict=True) if row[1]}
    assert ends <= {width(lines[1])}


def test_json_has_no_nan(capsys) -> None:
    out_json({"a": [float("inf"), 1.5], "b": {"c": float("nan")}, 3: ("文", None, True)})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "b": {"c": None}, "3": ["文", None, True]}
    assert isinstance(plain(object()), str)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_problem_is_one_line_and_errors_stand_first(capsys, language) -> None:
    text = message("study.unknown_engine", engine="x\ny", engines="z")
    show_problems([Problem(text, "notice"), Problem(text)], language)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(("error", "错误"))
