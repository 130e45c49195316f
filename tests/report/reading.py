"""Reads a page back as a person would: sections, tables with captions, cells with style and code."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class ReadCell:
    style: str
    text: str = ""
    codes: list[str] = field(default_factory=list)

    @property
    def badge(self) -> str | None:
        return next((code.removeprefix("badge ") for code in self.codes if code.startswith("badge ")), None)


@dataclass
class ReadTable:
    name: str
    section: str
    caption: ReadCell = field(default_factory=lambda: ReadCell("caption"))
    headers: list[ReadCell] = field(default_factory=list)
    rows: list[list[ReadCell]] = field(default_factory=list)

    def column(self, header: str) -> list[str]:
        """Return the texts of a column by the start of its header."""
        places = [place for place, cell in enumerate(self.headers) if cell.text.startswith(header)]
        assert places, (header, [cell.text for cell in self.headers])
        return [row[places[0]].text for row in self.rows]


class Page(HTMLParser):
    """A page's tags, links, texts, sections and tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.sections: list[str] = []
        self.titles: dict[str, str] = {}
        self.tables: list[ReadTable] = []
        self.scripts: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._cell: ReadCell | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in given.items()]
        self._open.append(tag)
        style = given.get("class", "")
        if tag in ("section", "table", "caption", "th", "tr", "td"):
            self._part(tag, style, given.get("id", ""))
        elif tag == "script":
            self.scripts.append("")
        elif tag == "span" and self._cell is not None:
            self._cell.codes.append(style)

    def _part(self, tag: str, style: str, name: str) -> None:
        if tag == "section":
            self.sections.append(name)
        elif tag == "table":
            self.tables.append(ReadTable(style.removeprefix("t-"), self.sections[-1] if self.sections else ""))
        elif tag == "caption":
            self._cell = self.tables[-1].caption
        elif tag == "th":
            self._cell = ReadCell(style)
            self.tables[-1].headers.append(self._cell)
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag == "td":
            self._cell = ReadCell(style)
            self.tables[-1].rows[-1].append(self._cell)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption"):
            assert self._cell is not None
            self._cell.text = self._cell.text.strip()
            self._cell = None
        if tag == "table":
            self.tables[-1].rows = [row for row in self.tables[-1].rows if row]
        while self._open and self._open.pop() != tag:
            continue

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "script":
            self.scripts[-1] += data
        elif inside != "style":
            self.text += data
            if self._cell is not None:
                self._cell.text += data
            if inside == "h2":
                self.titles[self.sections[-1]] = data

    def table(self, name: str, section: str | None = None) -> ReadTable:
        """Return the only table of a name in a section."""
        found = [one for one in self.tables if one.name == name and section in (None, one.section)]
        assert len(found) == 1, (name, section, [one.name for one in self.tables])
        return found[0]
