"""Write commands.md, the reference of the command line, from its own help: ``python docs/generate_commands.py``."""

import sys
from pathlib import Path

from click.testing import CliRunner

from cyclopolis.cli.build import build
from cyclopolis.cli.table import COMMANDS, Command
from cyclopolis.foundation.text import LANGUAGES, Language

PAGE = Path(__file__).parent / "commands.md"
_INTRODUCTION = """# Commands · 命令

<!-- Written by docs/generate_commands.py from src/cyclopolis/cli/table.py and the catalogue; change them there. -->

Every command has a Python equivalent, named in its help. Help and answers are in English or Chinese: `--lang` decides,
else `CYCLOPOLIS_LANG`, else the system's language; answers about a plan follow the plan's own language.

每个命令都有对应的 Python 写法，见其说明。说明与输出可为中文或英文：依次由 `--lang`、`CYCLOPOLIS_LANG`、系统语言决定；
涉及规划的输出依规划自身的语言。

| exit code · 退出码 | meaning · 含义 |
|---|---|
| 0 | all well · 正常 |
| 1 | a verification case misses · 验证算例有偏差 |
| 2 | what was given is wrong: one line per problem on standard error · 输入有误：每个问题一行，写到标准错误 |
| 3 | kind of verification case not supported · 验证算例类型不支持 |
| 130 | stopped with Ctrl-C; complete results are kept · 按 Ctrl-C 停止；已完整的结果保留 |

With `--json` the answer, problems included, is JSON on standard output. Progress goes to standard error; `--quiet` and
`--json` silence it.

用 `--json` 时，输出（包括问题）以 JSON 写到标准输出。进度写到标准错误；`--quiet` 与 `--json` 使其静默。
"""


def help_text(words: tuple[str, ...], language: Language) -> str:
    """Return what ``cyclopolis WORDS --help`` shows."""
    result = CliRunner().invoke(build(language), [*words, "--help"], prog_name="cyclopolis")
    return result.output.rstrip()


def section(words: tuple[str, ...], command: Command | None) -> str:
    """Return the part of the page about one command, with those of its group."""
    level = "#" * (len(words) + 1) if words else "##"
    parts = [f"{level} cyclopolis {' '.join(words)}".rstrip()]
    parts += [f"```text\n{help_text(words, language)}\n```" for language in LANGUAGES]
    below = command.commands if command else COMMANDS
    return "\n\n".join([*parts, *(section((*words, entry.name), entry) for entry in below)])


def page() -> str:
    """Return the whole page."""
    return f"{_INTRODUCTION}\n{section((), None)}\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else "commands.md is not current: run this script")
    PAGE.write_text(page(), encoding="utf-8")
