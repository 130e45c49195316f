"""What is picked in one picture of a front is picked in the other, in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cyclopolis.design.pareto.figures import axes_figure, cube_figure
from cyclopolis.report.escape import escape_figure, script_json
from cyclopolis.report.page import _template_text

POINTS = pl.DataFrame(
    {
        "point": [1, 2, 3],
        "economy": [3e6, 2e6, 1e6],
        "economy_unit": ["CNY"] * 3,
        "environment": [1e6, 2e6, 3e6],
        "society": [1.0, 3.0, 2.0],
        "choice": ["economy", "knee_and_compromise", "environment"],
    },
    schema_overrides={"point": pl.Int64},
)
CLICK = """
var wait = setInterval(function () {
  if (!document.documentElement.hasAttribute("data-drawn")) { return; }
  clearInterval(wait);
  var axes = document.getElementById("figure-axes"), cube = document.getElementById("figure-cube");
  axes.emit("plotly_click", { points: [{ customdata: 2 }] });
  setTimeout(function () {
    document.body.setAttribute("data-cube", cube.data.map(function (t) { return t.marker.size.join(); }).join(" "));
    document.body.setAttribute("data-axes", axes.data.map(function (t) { return t.opacity; }).join(" "));
  }, 500);
}, 100);
"""


@pytest.mark.browser
def test_a_click_on_the_axes_marks_the_point_in_the_cube(browser: Callable[..., str], tmp_path: Path) -> None:
    from plotly.offline import get_plotlyjs

    drawn = {"cube": cube_figure(POINTS, "en"), "axes": axes_figure(POINTS, "en")}
    figures = {name: escape_figure(figure) for name, figure in drawn.items()}
    boxes = "".join(f'<div><div class="figure" id="figure-{name}"></div></div>' for name in figures)
    data = f'<script type="application/json" id="figures">{script_json(figures)}</script>'
    scripts = "".join(f"<script>{text}</script>" for text in (get_plotlyjs(), _template_text("draw.js"), CLICK))
    page = tmp_path / "linked.html"
    page.write_text(f'<meta charset="utf-8"><body>{boxes}{data}{scripts}</body>', encoding="utf-8")
    seen = browser(page, "--dump-dom", "--enable-unsafe-swiftshader")
    assert re.search('data-picked="2"', seen)
    assert re.search('data-axes="0.08 1 0.08"', seen)
    assert re.search('data-cube="3 3 13"', seen)
