"""Whatever comes through the door, it ends as a plan or as problems, never as anything else."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sound_plan import MARKETS, PLANTS, SITES, SOUND, TOML

from cyclopolis.plan import check_plan
from cyclopolis.plan.cells import ROW
from cyclopolis.plan.schema import columns
from cyclopolis.plan.table_reader import _fast, _slow, decode, read_csv

MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("", "park", "power", "1e400", "-1", "nan", "=1+1", "<script>", "a;b", '"', "5%", "1,5", "2030-01-01"),
            *("existing", "GJ", "万t", "t/0", "cement", "fly_ash", "water", "any", "\x00", "\ufeff", "park;park", "0"),
            *("in", "out", "yes"),
        ]
    ),
)


def overwrite(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in {**{name: text.encode() for name, text in SOUND.items()}, **files}.items():
        (folder / name).write_bytes(content)


def rendered(folder: Path) -> list[str]:
    return [problem.render(language) for problem in check_plan(folder) for language in ("en", "zh")]


@MANY
@given(name=st.sampled_from(sorted(SOUND)), content=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    overwrite(tmp_path / "park", {name: content})
    rendered(tmp_path / "park")


@MANY
@given(
    name=st.sampled_from(sorted(SOUND)),
    place=st.integers(min_value=0, max_value=400),
    content=st.binary(min_size=1, max_size=4),
)
def test_any_bytes_within_a_sound_file(tmp_path: Path, name: str, place: int, content: bytes) -> None:
    sound = SOUND[name].encode()
    overwrite(tmp_path / "park", {name: sound[:place] + content + sound[place:]})
    rendered(tmp_path / "park")


@MANY
@given(data=st.data())
def test_any_cells_in_any_table(tmp_path: Path, data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(sorted(columns())))
    described = columns()[table]
    rows = data.draw(
        st.lists(st.lists(CELLS, min_size=len(described), max_size=len(described)), min_size=1, max_size=4)
    )
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[column.name for column in described], *rows])
    overwrite(tmp_path / "park", {f"{table}.csv": text.getvalue().encode("utf-8", "surrogatepass")})
    rendered(tmp_path / "park")


@MANY
@given(data=st.data())
def test_any_cell_in_a_sound_row(tmp_path: Path, data: st.DataObject) -> None:
    name, sound = data.draw(st.sampled_from([("sites.csv", SITES), ("plants.csv", PLANTS), ("markets.csv", MARKETS)]))
    rows = [line.split(",") for line in sound.splitlines()]
    row = data.draw(st.integers(min_value=0, max_value=len(rows) - 1))
    rows[row][data.draw(st.integers(min_value=0, max_value=len(rows[0]) - 1))] = data.draw(CELLS)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    overwrite(tmp_path / "park", {name: text.getvalue().encode("utf-8", "surrogatepass")})
    rendered(tmp_path / "park")


@MANY
@given(action=CELLS, table=CELLS, where=CELLS, column=CELLS, value=CELLS)
def test_any_scenario(tmp_path: Path, action: str, table: str, where: str, column: str, value: str) -> None:
    text = io.StringIO(newline="")
    rows = [["scenario", "action", "table", "where", "column", "value"], ["s", action, table, where, column, value]]
    rows += [["s", verb, "plants", f"plant={where}", "capacity", value] for verb in ("set", "scale", "add", "remove")]
    rows += [["s", "add", "sites", "", "", f"site={value};kind={column}"], ["s", "set", "plan", "", column, value]]
    csv.writer(text).writerows(rows)
    overwrite(tmp_path / "park", {"scenarios.csv": text.getvalue().encode("utf-8", "surrogatepass")})
    for problem in check_plan(tmp_path / "park", ["s"]):
        problem.render("zh")


@MANY
@given(st.text(max_size=60))
def test_any_toml_value(tmp_path: Path, text: str) -> None:
    overwrite(tmp_path / "park", {"plan.toml": (TOML + f"place = {text}\n").encode("utf-8", "surrogatepass")})
    rendered(tmp_path / "park")


LINES = st.lists(st.lists(st.text(alphabet='ab ,"\n\t;企', max_size=5), min_size=1, max_size=4), min_size=1, max_size=6)


@given(rows=LINES, plain=st.booleans())
def test_the_fast_reader_reads_what_the_csv_module_reads(rows: list[list[str]], plain: bool) -> None:
    text = io.StringIO(newline="")
    if plain:
        text.write("\n".join(",".join(row) for row in rows) + "\n")
    else:
        csv.writer(text, lineterminator="\n").writerows(rows)
    fast = _fast(text.getvalue(), ",")
    if fast is None:
        return
    frame, lengths, _ = fast
    slow, expected, _ = _slow(text.getvalue(), ",", "x.csv")
    found = [[cell or "" for cell in row] for row in frame.drop(ROW).rows()]
    wanted = [[cell or "" for cell in row] for row in slow.drop(ROW).rows()]
    width = slow.width - 1
    assert [row[:width] for row in found] == wanted
    assert lengths.tolist() == expected.tolist()
    assert frame[ROW].to_list() == slow[ROW].to_list()


def test_ragged_rows_are_found_though_polars_pads_them(tmp_path: Path) -> None:
    path = tmp_path / "plants.csv"
    path.write_text('a,b,c\n1,2\n\n"x, y",2,3\n1,2,3,4\n,,\n1,"new\nline",3\n7\n', encoding="utf-8")
    sheet, problems = read_csv(path, "plants.csv")
    assert sheet is not None
    assert sheet.frame[ROW].to_list() == [2, 4, 5, 7, 8]
    assert [(problem.text.key, problem.row) for problem in problems] == [("plan.row_length", row) for row in (2, 5, 8)]


def test_stray_quotes_fall_back_to_the_csv_module(tmp_path: Path) -> None:
    path = tmp_path / "plants.csv"
    path.write_text('a,b\n5" pipe,2\nsay "hi",3\n', encoding="utf-8")
    sheet, problems = read_csv(path, "plants.csv")
    assert sheet is not None
    assert not problems
    assert sheet.frame["0"].to_list() == ['5" pipe', 'say "hi"']


@pytest.mark.parametrize("mark", ["\t", ";"])
def test_other_separators_are_understood(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "sites.csv"
    path.write_text(mark.join(["site", "kind"]) + "\n" + mark.join(["a", "park"]) + "\n", encoding="utf-8")
    sheet, problems = read_csv(path, "sites.csv")
    assert sheet is not None
    assert (sheet.header, problems, sheet.frame.drop(ROW).rows()) == (("site", "kind"), [], [("a", "park")])


def test_undecodable_bytes_are_located() -> None:
    problem = decode("a,b\n企业,".encode() + b"\xff\xff\n", "x.csv")
    assert not isinstance(problem, str)
    assert problem.text.values == {"byte": 12, "line": 2}


def test_a_cell_too_long_for_the_csv_module_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text('site,kind\na,park\n"' + "x" * 200_000 + "\n", encoding="utf-8")
    _, problems = read_csv(path, "sites.csv")
    assert [problem.text.key for problem in problems] == ["plan.csv_broken"]
    assert problems[0].text.values == {"line": 3}
