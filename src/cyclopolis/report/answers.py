"""What every result has, whatever its engine: a summary shown as tiles, and figures."""

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.blocks import Block, Picture, Tile, Tiles
from cyclopolis.report.names import Names


def tiles(result: Result, names: Names, count: int | None = None) -> Tiles:
    """Return the lines of a result's summary as tiles."""
    return Tiles(
        say(f"study.engine_{result.engine}", names.language),
        tuple(
            Tile(
                line.name.render(names.language),
                line.value if isinstance(line.value, str) else quantity_text(line.value, line.unit, names.language),
                line.provenance,
            )
            for line in result.summary()[:count]
        ),
    )


def pictures(result: Result, names: Names) -> list[Block]:
    """Return a result's figures; a figure's title becomes its caption."""
    blocks: list[Block] = []
    for name, figure in result.figures(names.language).items():
        layout = dict(figure.get("layout", {}))
        caption = str(layout.pop("title", {}).get("text", ""))
        margin = {**layout.get("margin", {}), "t": 24}
        bare = {"data": figure["data"], "layout": {**layout, "margin": margin}}
        blocks.append(Picture(f"{result.engine}-{name}", caption, bare))
    return blocks
