"""Write tables.md, the reference of a plan's tables, from the schema: ``python docs/generate_tables.py``."""

import sys
from pathlib import Path

from cyclopolis.foundation.columns import Column
from cyclopolis.plan.schema import (
    choice_label,
    choice_values,
    columns,
    plan_keys,
    quantities,
    read_rows,
    split_list,
    tables,
)

PAGE = Path(__file__).parent / "tables.md"
_UNITS = """Write products with a space or `*`, and `/` for all that follows it: `t/a`, `CNY/t km`, `10^4 t/a`,
`万吨/年`. A rate may leave out the year: `万吨` where `t/a` is wanted. A year has 365 days. Normal cubic metres convert
to no mass.

单位之间用空格或 `*` 相乘，`/` 之后均为分母：`t/a`、`元/t·km`、`10^4 t/a`、`万吨/年`。
年流量可省略“每年”：需要 `t/a` 处可写 `万吨`。一年按 365 天计。标准立方米不换算为质量。
"""
_TYPES = {
    "id": "identifier · 编号",
    "ref": "reference · 引用",
    "text": "text · 文本",
    "number": "number · 数值",
    "integer": "whole number · 整数",
    "flag": "yes/no · 是/否",
    "year": "year · 年份",
    "choice": "choice · 选项",
    "list": "list · 列表",
}
_INTRODUCTION = """# The tables of a plan · 规划数据表

<!-- Written by docs/generate_tables.py from src/cyclopolis/plan/schema; change the data there, then run the script. -->

A plan is a folder with `plan.toml` and one CSV file per table (`sites.csv`, `plants.csv`, ...), or one `.xlsx` workbook
with a sheet per table and a sheet `plan`. Only the tables marked *needed* must be there. Files may be UTF-8, UTF-8 with
a mark, or GB18030. Headers may be the column's name or any of its aliases; case, spaces, `_` and `-` do not matter. A
header may carry a unit in brackets: `capex [万元]`.

规划可以是一个文件夹（`plan.toml` 加每表一个 CSV 文件），
也可以是一个 `.xlsx` 工作簿（每表一个工作表，另加“规划”工作表）。
只有标为“必需”的表必须提供。
文件编码可为 UTF-8（有无 BOM 均可）或 GB18030。
表头可用列名或任一别名，不区分大小写、空格、`_` 与 `-`；
也可用括号注明单位：`投资（万元）`。

Cells: numbers may have full-width digits and thousands separators (`1,234.5`, `１，２３４．５`); `%` is understood in
columns of percentages and pure numbers; a date where a year is wanted becomes its year; an empty cell means *unknown*,
never zero. A row's `source` says where it comes from; begin it with `assumed` (`假设`) for an assumption.

单元格：数值可用全角数字与千分位；百分比列与无量纲列可写 `%`；需要年份处填日期则取其年份；
空单元格表示“未知”，绝不当作 0。
`source` 说明数据来源，假设数据请以 `assumed` 或 `假设` 开头。

In the column *unit*, `@main` is the unit of the technology's main commodity, `@commodity` the row's commodity's,
`@displaced` the displaced commodity's, `@quantity` the quantity's, `@unit` the row's own. A `unit` cell converts the
numbers that it rules.

“单位”列中：`@main` 为技术主物料的单位，`@commodity` 为该行物料的单位，`@displaced` 为被替代物料的单位，
`@quantity` 为该指标的单位，`@unit` 为该行自带单位。填写 `unit` 单元格时，所辖数值按其换算。
"""
_SCENARIOS = """## Scenarios · 情景

A scenario is a file `scenarios/NAME.toml`, or rows of the table `scenarios` with one name. It is laid over the plan
before the plan is checked; several are applied in the order given, each after those in its `based_on`.

情景是文件 `scenarios/名称.toml`，或 `scenarios` 表中同名的若干行。情景先叠加、再检查；
可按顺序叠加多个，`based_on` 中的情景先行。

```toml
based_on = ["dry_year"]

[[change]]
action = "set"              # set, scale, add, remove · 设值、缩放、新增、删除
table = "limits"
where = { scope = "park", quantity = "water" }
column = "max"
value = 1200000

[[change]]
action = "scale"
table = "markets"
where = { commodity = "electricity" }
column = "buy_price"
value = 1.2

[[change]]
action = "add"
table = "limits"
value = { scope = "park", quantity = "so2", max = 500 }

[[change]]
action = "set"
table = "plan"
column = "discount_rate"
value = 0.1
```
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or " "


def _row(column: Column) -> str:
    kind = _TYPES[column.type]
    if column.refers:
        kind += f" → `{column.refers}`"
    if column.choices == ("@quantities",):
        kind += ": see [quantities](#quantities)"
    elif column.type == "choice":
        kind += ": " + ", ".join(f"`{value}` {choice_label(column, value, 'zh')}" for value in choice_values(column))
    span = ""
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        span = f"{low} … {high}"
    cells = (
        f"`{column.name}`",
        kind,
        f"`{column.unit}`" if column.unit else "",
        "yes · 是" if column.required else "",
        span,
        "、".join(column.aliases),
        column.en,
        column.zh,
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _columns(described: tuple[Column, ...]) -> list[str]:
    head = (
        "| column · 列 | type · 类型 | unit · 单位 | needed · 必填 | range · 范围 | aliases · 别名 | meaning | 含义 |"
    )
    return [head, "|---|---|---|---|---|---|---|---|", *(_row(column) for column in described), ""]


def page() -> str:
    """Return the text of the page."""
    lines = [_INTRODUCTION]
    for table in tables().values():
        described = plan_keys() if table.name == "plan" else columns()[table.name]
        lines += [f"## {table.name} {{#{table.name}}}", ""]
        needed = " *Needed · 必需.*" if table.required else ""
        lines += [f"{table.en}.{needed} {table.zh}。", ""]
        names = "、".join(table.aliases)
        lines += [f"File or sheet · 文件或工作表：`{table.name}`、{names}" if names else f"`{table.name}`", ""]
        lines += _columns(described)
    lines += [_SCENARIOS, "## Quantities · 约束与目标的指标 {#quantities}", ""]
    lines += ["| quantity | unit · 单位 | also written · 别名 | meaning | 含义 |", "|---|---|---|---|---|"]
    for quantity in quantities().values():
        cells = (
            f"`{quantity.name}`",
            quantity.unit,
            "、".join(quantity.aliases),
            f"{quantity.en}: {quantity.definition}",
            f"{quantity.zh}：{quantity.definition_zh}",
        )
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    lines += ["", "## Units · 单位 {#units}", ""]
    lines += [_UNITS, "| unit | also written · 别名 | meaning | 含义 |", "|---|---|---|---|"]
    for unit in read_rows("units.csv"):
        cells = (f"`{unit['unit']}`", "、".join(split_list(unit["aliases"])), unit["en"], unit["zh"])
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name} is not what its generator writes")
