"""The pictures of matching and chains as a real browser draws them: all there, no axis title over its numbers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cyclopolis.foundation.text import LANGUAGES, Language
from cyclopolis.industry.chains import chains
from cyclopolis.industry.exchanges import match
from cyclopolis.plan import Plan
from cyclopolis.report import write_report

PROBE = """<script>
var wait = setInterval(function () {
  if (!document.documentElement.hasAttribute("data-drawn")) { return; }
  clearInterval(wait);
  var over = [], axes = 0;
  document.querySelectorAll(".figure").forEach(function (figure) {
    figure.querySelectorAll(".xtitle").forEach(function (title) {
      var at = title.getBoundingClientRect();
      axes += 1;
      figure.querySelectorAll(".xtick text").forEach(function (tick) {
        var box = tick.getBoundingClientRect();
        var wide = box.left < at.right && at.left < box.right;
        if (wide && box.top < at.bottom - 1 && at.top < box.bottom - 1) { over.push(figure.id); }
      });
    });
  });
  document.body.setAttribute("data-axes", axes);
  document.body.setAttribute("data-over", over.join(" "));
}, 100);
</script>"""


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_of_matches_and_chains_are_drawn_and_readable(
    plan: Plan, browser: Callable[..., str], tmp_path: Path, language: Language
) -> None:
    results = {"match": match.match(plan), "chains": chains.chains(plan)}
    page = write_report(plan, results, tmp_path, language)
    drawn = [f"figure-{engine}-{name}" for engine, found in results.items() for name in found.figures(language)]
    text = page.read_text(encoding="utf-8").replace("</body>", PROBE + "</body>")
    probed = tmp_path / "probed.html"
    probed.write_text(re.sub(r"<meta http-equiv[^>]*>", "", text), encoding="utf-8")
    seen = browser(probed, "--dump-dom", "--enable-unsafe-swiftshader")
    assert all(f'id="{name}"' in seen for name in drawn)
    assert len(drawn) >= 6
    assert f'data-drawn="{len(drawn)}"' in seen
    axes = re.search('data-axes="([0-9]+)"', seen)
    assert axes
    assert int(axes.group(1)) >= 3
    assert 'data-over=""' in seen
