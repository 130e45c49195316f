"""The page of tables says what the schema says."""

import subprocess
import sys
from pathlib import Path

from cyclopolis.plan.schema import columns, plan_keys, quantities, read_rows, tables

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate_tables.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, "run python docs/generate_tables.py"


def test_the_page_names_every_table_column_quantity_and_unit() -> None:
    text = (DOCS / "tables.md").read_text(encoding="utf-8")
    for name in tables():
        assert f"## {name} {{#{name}}}" in text
    for column in (*plan_keys(), *(column for described in columns().values() for column in described)):
        assert f"| `{column.name}` |" in text
        assert column.zh in text
        assert column.en.replace("|", "\\|") in text
    for name in [*quantities(), *(row["unit"] for row in read_rows("units.csv"))]:
        assert f"| `{name}` |" in text


def test_every_table_has_source_and_note_and_every_number_a_unit() -> None:
    for table, described in columns().items():
        assert [column.name for column in described][-2:] == ["source", "note"], table
        for column in described:
            assert bool(column.unit) == (column.type == "number"), (table, column.name)
            assert column.aliases, (table, column.name)
            assert column.en
            assert any("\u4e00" <= letter <= "\u9fff" for letter in column.zh)
            if column.refers:
                assert column.refers in columns()
    for table in tables().values():
        known = {column.name for column in (plan_keys() if table.name == "plan" else columns()[table.name])}
        ruled = {name for names in table.units.values() for name in names}
        assert ruled | set(table.units) <= known
        assert table.name == "plan" or set(table.key) <= known
