"""A lossless editor of SWMM input files: what is not edited stays byte for byte.

An ``.inp`` is a list of lines under section heads such as ``[SUBCATCHMENTS]``. SWMM tells sections by how their names
begin, in any case; fields are separated by blanks and tabs, quoted ones may hold blanks, a semicolon starts a comment.
Texts are held as UTF-8 with every byte that is not UTF-8 kept aside (``surrogateescape``), so that any file survives.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_STEMS = (
    "TITLE", "OPTION", "FILE", "RAINGAGE", "TEMPERATURE", "EVAP", "SUBCATCHMENT", "SUBAREA", "INFIL", "AQUIFER",
    "GROUNDWATER", "SNOWPACK", "JUNCTION", "OUTFALL", "STORAGE", "DIVIDER", "CONDUIT", "PUMP", "ORIFICE", "WEIR",
    "OUTLET", "XSECTION", "TRANSECT", "LOSS", "CONTROL", "POLLUT", "LANDUSE", "BUILDUP", "WASHOFF", "COVERAGE",
    "INFLOW", "DWF", "PATTERN", "RDII", "HYDROGRAPH", "LOADING", "TREATMENT", "CURVE", "TIMESERIES", "REPORT",
    "COORDINATE", "VERTICES", "POLYGON", "LABEL", "SYMBOL", "BACKDROP", "TAG", "PROFILE", "MAP", "LID_CONTROL",
    "LID_USAGE", "GWF", "ADJUSTMENT", "EVENT", "STREET", "INLET_USAGE", "INLET",
)  # fmt: skip
"""How SWMM 5.2 recognises sections: by these beginnings of their names."""
_TOKEN = re.compile(r'"[^"]*"?|[^\s";]+|;')
_ENCODING = ("utf-8", "surrogateescape")


def section_key(name: str) -> str:
    """Return the one name of a section, however it is written; an unknown section keeps its own in capitals.

    Examples
    --------
    >>> section_key("[Polygons]"), section_key("lid_usage"), section_key("[MY NOTES]")
    ('POLYGON', 'LID_USAGE', 'MY NOTES')
    """
    plain = name.strip().lstrip("\ufeff").strip("[]").strip().upper()
    found = [stem for stem in _STEMS if plain.startswith(stem)]
    return max(found, key=len) if found else plain


@dataclass(frozen=True)
class Row:
    """One data line: its index in the file (0 is the first line), its fields without quotes, where each stands."""

    line: int
    fields: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def number(self) -> int:
        """Line number as editors and SWMM count, from 1."""
        return self.line + 1


@dataclass(frozen=True)
class Inp:
    r"""An input file as lines, each with its own line end; every edit gives a new one.

    Examples
    --------
    >>> model = Inp.parse(b"[OPTIONS]\r\nFLOW_UNITS   CMS ; metric\r\n")
    >>> model.rows("options")[0].fields
    ('FLOW_UNITS', 'CMS')
    >>> model.set_field("OPTIONS", model.rows("OPTIONS")[0], 1, "LPS").to_bytes()
    b'[OPTIONS]\r\nFLOW_UNITS   LPS ; metric\r\n'
    """

    lines: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes) -> "Inp":
        """Read the bytes of a file; any bytes are taken."""
        return cls(tuple(re.findall(r"[^\n]*\n|[^\n]+", data.decode(*_ENCODING))))

    def to_bytes(self) -> bytes:
        """Return the file; without an edit the very bytes it was read from."""
        return "".join(self.lines).encode(*_ENCODING)

    @cached_property
    def sections(self) -> Mapping[str, tuple[tuple[int, int], ...]]:
        """Return where each section stands: head line and the line after its last, in file order, repeats included."""
        heads = [place for place, line in enumerate(self.lines) if line.lstrip("\ufeff \t").startswith("[")]
        found: dict[str, list[tuple[int, int]]] = {}
        for head, end in pairwise([*heads, len(self.lines)]):
            found.setdefault(section_key(self.lines[head].split("]")[0]), []).append((head, end))
        return {name: tuple(places) for name, places in found.items()}

    @cached_property
    def newline(self) -> str:
        """Return the line end that most lines have."""
        windows = sum(line.endswith("\r\n") for line in self.lines)
        return "\r\n" if 2 * windows > len(self.lines) else "\n"

    def rows(self, section: str) -> tuple[Row, ...]:
        """Return the data lines of a section, comments and empty lines left out."""
        found = []
        for head, end in self.sections.get(section_key(section), ()):
            found += [row for line in range(head + 1, end) if (row := read_row(self.lines[line], line))]
        return tuple(found)

    def names(self, section: str) -> tuple[str, ...]:
        """Return the first field of each row, each once, in order."""
        return tuple(dict.fromkeys(row.fields[0] for row in self.rows(section)))

    def option(self, name: str) -> str | None:
        """Return an option's value, or None."""
        for row in self.rows("OPTIONS"):
            if row.fields[0].upper() == name.upper() and len(row.fields) > 1:
                return row.fields[1]
        return None

    def set_field(self, section: str, row: Row, position: int, value: object) -> "Inp":
        """Return the file with one field changed; columns to its right stay in place where there is room.

        Parameters
        ----------
        section : str
            The row's section.
        row : Row
            A row of this file.
        position : int
            Which field; a position past the last one appends.
        value : object
            New value; one with blanks is quoted.

        Raises
        ------
        ValueError
            If the row is not one of this file's section.
        """
        if row not in self.rows(section):
            raise ValueError(f"no such row in [{section}]: {row.fields}")
        lines = list(self.lines)
        lines[row.line] = _edited(lines[row.line], row, position, value)
        return Inp(tuple(lines))

    def set_fields(self, section: str, position: int, value: object) -> "Inp":
        r"""Return the file with one field changed in every row of a section, as `set_field` does it.

        Examples
        --------
        >>> Inp.parse(b"[DWF]\nJ1 FLOW 1\nJ2 FLOW 12 ; two\n").set_fields("DWF", 2, 0).to_bytes()
        b'[DWF]\nJ1 FLOW 0\nJ2 FLOW 0  ; two\n'
        """
        lines = list(self.lines)
        for row in self.rows(section):
            lines[row.line] = _edited(lines[row.line], row, position, value)
        return Inp(tuple(lines))

    def set_option(self, name: str, value: object) -> "Inp":
        """Return the file with an option set, added where it is missing."""
        for row in self.rows("OPTIONS"):
            if row.fields[0].upper() == name.upper():
                same = len(row.fields) > 1 and row.fields[1] == str(value)
                return self if same else self.set_field("OPTIONS", row, 1, value)
        return self.add_rows("OPTIONS", [(name, value)])

    def add_rows(self, section: str, rows: Iterable[Sequence[object]]) -> "Inp":
        """Return the file with rows after the last row of a section; the section is added where it is missing."""
        made = [format_row(row) + self.newline for row in rows]
        if not made:
            return self
        places = self.sections.get(section_key(section))
        if places is None:
            lines = list(self.lines)
            if lines and not lines[-1].endswith("\n"):
                lines[-1] += self.newline
            gap = [self.newline] if lines and lines[-1].strip() else []
            return Inp((*lines, *gap, f"[{section.strip('[]').upper()}]{self.newline}", *made))
        head, end = places[-1]
        last = max((place for place in range(head, end) if self.lines[place].strip()), default=head)
        before = list(self.lines[: last + 1])
        if not before[-1].endswith("\n"):
            before[-1] += self.newline
        return Inp((*before, *made, *self.lines[last + 1 :]))

    def remove_rows(self, section: str, unwanted: Callable[[Row], bool] = lambda _: True) -> "Inp":
        """Return the file without the rows for which ``unwanted`` is true (all by default); comments stay."""
        gone = {row.line for row in self.rows(section) if unwanted(row)}
        return Inp(tuple(line for place, line in enumerate(self.lines) if place not in gone)) if gone else self

    def replace_rows(self, section: str, rows: Iterable[Sequence[object]]) -> "Inp":
        """Return the file with other rows in a section."""
        return self.remove_rows(section).add_rows(section, rows)


def _edited(line: str, row: Row, position: int, value: object) -> str:
    """Return a row's line with one field changed or, past the last one, appended."""
    text = quoted(value)
    if position >= len(row.fields):
        end = row.spans[-1][1]
        return f"{line[:end]}  {text}{line[end:]}"
    start, end = row.spans[position]
    rest = line[end:]
    blanks = len(rest) - len(rest.lstrip(" "))
    grown = len(text) - (end - start)
    if blanks and rest.strip():
        keep = max(blanks - grown, 1) if grown > 0 else blanks - grown
        rest = " " * keep + rest[blanks:]
    return line[:start] + text + rest


def read_row(line: str, place: int = 0) -> Row | None:
    """Return the fields of a line, or None for a comment or an empty line.

    Examples
    --------
    >>> read_row('N1  "two words"  3 ; note').fields
    ('N1', 'two words', '3')
    """
    fields, spans = [], []
    for match in _TOKEN.finditer(line):
        if match[0] == ";":
            break
        fields.append(match[0].strip('"'))
        spans.append(match.span())
    return Row(place, tuple(fields), tuple(spans)) if fields else None


def quoted(value: object) -> str:
    """Return a value as a field: quoted where it is empty or holds a blank.

    Examples
    --------
    >>> quoted(0.1), quoted("a b"), quoted(12.0)
    ('0.1', '"a b"', '12')
    """
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if not text or re.search(r"\s", text) else text


def format_row(fields: Sequence[object]) -> str:
    """Return a new row with its fields in columns."""
    return "  ".join(f"{quoted(value):<14}" for value in fields).rstrip()
