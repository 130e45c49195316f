"""The library's look-ups in both languages."""

import json

import pytest


@pytest.mark.parametrize("words", [["电石渣"], ["carbide", "slag"]])
def test_search_finds_it_in_both_languages(cli, words: list[str]) -> None:
    lines = cli("library", "search", *words).stdout.splitlines()
    assert "carbide_slag" in lines[2]
    found = json.loads(cli("library", "search", *words, "--json").stdout)["found"]
    assert found[0]["id"] == "carbide_slag"


def test_search_without_a_hit_says_so(cli) -> None:
    result = cli("library", "search", "qqqqzzzzxxxx")
    assert result.returncode == 0
    assert "Nothing in the library" in result.stdout


def test_show_prints_recipe_ranges_sources_and_closure(cli) -> None:
    text = cli("library", "show", "calcium_carbide", "--lang", "en").stdout
    for part in ("Recipe", "lime", "Low", "High", "Sources", "Mass and carbon closure", "Closed"):
        assert part in text
    sheet = json.loads(cli("library", "show", "calcium_carbide", "--json").stdout)
    assert {"recipe", "closure", "sources"} <= set(sheet)
    assert "配方" in cli("library", "show", "calcium_carbide", "--lang", "zh").stdout


def test_gaps_and_list(cli) -> None:
    assert "no_producer" in cli("library", "gaps").stdout
    gaps = json.loads(cli("library", "gaps", "--json").stdout)["gaps"]
    assert "semi_coke" not in {row["commodity"] for row in gaps}
    assert "chlor" in cli("library", "list", "technologies").stdout
    assert json.loads(cli("library", "list", "transport", "--json").stdout)["transport"]
