"""What a page is made of: tiles, tables, figures and sentences, ready to be written out."""

from dataclasses import dataclass, field

from cyclopolis.foundation.result import Figure


@dataclass(frozen=True)
class Cell:
    """One cell: its text, the style it is written in, and the code behind it.

    Styles are text, word (a short coded word), number, change, unit, badge and mark (a judgement).
    """

    text: str
    style: str = "text"
    code: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption and, where all of it has one, its provenance.

    ``more`` counts the rows left out, ``empty`` is said where there are none.
    """

    name: str
    caption: str
    headers: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    provenance: Cell = Cell("")
    note: str = ""
    more: int = 0
    empty: str = ""
    block: str = field(default="table", init=False)


@dataclass(frozen=True)
class Tile:
    """One number that stands out, with its unit and provenance."""

    name: str
    text: str
    provenance: str


@dataclass(frozen=True)
class Tiles:
    """A row of tiles under a caption."""

    caption: str
    tiles: tuple[Tile, ...]
    block: str = field(default="tiles", init=False)


@dataclass(frozen=True)
class Picture:
    """A figure with its caption."""

    name: str
    caption: str
    figure: Figure
    block: str = field(default="picture", init=False)


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    block: str = field(default="text", init=False)


Block = Table | Tiles | Picture | Text


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading."""

    name: str
    title: str
    blocks: tuple[Block, ...]
