"""Frameworks as data: all shipped ones load whole, bad ones are refused with file and entry named."""

import pytest
import yaml

from cyclopolis.foundation.problems import UserError
from cyclopolis.library.frameworks import load_frameworks, read_framework
from cyclopolis.library.frameworks.glossary import glossary, shipped_inputs
from cyclopolis.library.frameworks.units import conversion, read_unit

COUNTS = {
    "circular-economy-2017": 39,
    "chemical-park-guizhou": 4,
    "chemical-park-safety": 7,
    "chemical-park-shandong": 6,
    "circular-park": 23,
    "eco-civilization": 52,
    "eip-2.0": 51,
    "green-park": 31,
    "hj-274-2015": 32,
    "igmc-3.0": 10,
    "iso-59020": 16,
    "sponge-15min": 39,
}

OWN = {
    "framework": {"id": "own", "title": "Our park list", "year": 2026, "verdict": "all"},
    "dimensions": [
        {
            "id": "d",
            "name": "Everything",
            "categories": [
                {
                    "id": "c",
                    "indicators": [
                        {
                            "id": "own-1",
                            "name": "Water per person",
                            "unit": "m3/person",
                            "direction": "lower",
                            "required": True,
                            "target": {"op": "<=", "value": 100},
                            "formula": "fresh_water / pop_total",
                            "inputs": {"fresh_water": "10^4 m3/a", "pop_total": "person"},
                            "provenance": "user",
                        }
                    ],
                }
            ],
        }
    ],
}


def changed(**fields):
    tree = yaml.safe_load(yaml.safe_dump(OWN))
    tree["dimensions"][0]["categories"][0]["indicators"][0].update(fields)
    return yaml.safe_dump(tree).encode()


@pytest.mark.parametrize(("identity", "count"), COUNTS.items())
def test_every_framework_loads_whole(identity, count):
    framework = load_frameworks()[identity]
    assert len(framework.indicators) == count
    assert framework.title_zh
    assert framework.sources
    for indicator in framework.indicators:
        assert indicator.name_zh, indicator.id
        assert indicator.provenance in {"seen", "memory"}
        for target in indicator.target.walk():
            assert not target.text or target.text_zh, indicator.id


def test_no_framework_is_left_out():
    assert set(load_frameworks()) == set(COUNTS)


def test_every_target_form_of_the_files_is_held():
    ops = {t.op for f in load_frameworks().values() for i in f.indicators for t in i.target.walk()}
    assert ops == {
        *(">=", "<=", ">", "<", "==", "range", "bool", "report", "levels", "task", "trend", "case_by_case"),
        *("all", "any", "cases"),
    }


def test_hj274_counts_agree_with_the_published_ones():
    """17 mandatory and 15 optional indicators, all optional ones in groups, as the comparison page says."""
    framework = load_frameworks()["hj-274-2015"]
    required = [one for one in framework.indicators if one.required]
    optional = [one for one in framework.indicators if not one.required]
    assert (len(required), len(optional)) == (17, 15)
    assert {one.id for one in optional} == {member for group in framework.groups for member in group.of}
    assert 17 + sum(group.n for group in framework.groups) == 23


def test_igmc_levels_and_no_invented_points():
    framework = load_frameworks()["igmc-3.0"]
    assert [level.min_points for level in framework.levels] == [280, 245, 210]
    assert framework.total_points == 320
    assert len(framework.dimensions) == 6
    assert all(dimension.points is None for dimension in framework.dimensions)


def test_every_input_is_explained_and_used():
    needed = {
        name
        for framework in load_frameworks().values()
        for one in framework.indicators
        for name in one.needs()
        if name != one.id
    }
    direct = {one.id for framework in load_frameworks().values() for one in framework.indicators}
    answered = {name for name, one in shipped_inputs().items() if name in direct and one.engine is not None}
    assert needed | answered == set(shipped_inputs())
    for one in shipped_inputs().values():
        assert one.en, one.name
        assert one.zh, one.name
        assert read_unit(one.unit) is not None, one.name
        assert (one.engine is None) == (one.use == ""), one.name


def test_glossary_of_all_frameworks_has_fitting_units():
    assert len(glossary(load_frameworks().values())) > len(shipped_inputs())


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("万元", "10^4 CNY/a", 1.0),
        ("亿元", "10^4 CNY/a", 1e4),
        ("CNY/a (constant price)", "10^4 CNY/a", 1e-4),
        ("ha", "km2", 0.01),
        ("10^4 m3", "m3/a", 1e4),
        ("万吨标准煤", "tce/a", 1e4),
        ("GJ/a", "tce/a", 1 / 29.3076),
        ("1", "%", 100.0),
        ("tce/万元", "tce/10^4 CNY", 1.0),
        ("t", "m3/a", None),
        ("parsec", "m", None),
        ("", "1", 1.0),
    ],
)
def test_unit_conversion(given, wanted, factor):
    assert conversion(given, wanted) == (None if factor is None else pytest.approx(factor))


def test_a_framework_is_added_by_one_file(tmp_path):
    (tmp_path / "own.yaml").write_bytes(changed())
    found = load_frameworks(tmp_path)
    assert found["own"].indicators[0].formula.names == ("fresh_water", "pop_total")
    assert set(found) == {*COUNTS, "own"}


def test_an_id_of_the_library_is_not_replaced_silently(tmp_path):
    tree = {**OWN, "framework": {**OWN["framework"], "id": "green-park"}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(UserError, match=r"own\.yaml.*green-park is taken"):
        load_frameworks(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"framework: [", "not readable YAML"),
        (b"\xff\xfe\x00", "not readable YAML"),
        (b"just text", "name: value"),
        (b"framework: {id: x}", "title is missing"),
        (changed(target={"op": "about", "value": 3}), "own-1: target|about is not known"),
        (changed(target={"op": ">="}), "value must be a number"),
        (changed(target={"op": ">=", "value": "70 %"}), "must be a number, not 70 %"),
        (changed(target={"op": "range", "min": 3, "max": 1}), "ends below its start"),
        (changed(target={"op": "levels", "scheme": "none"}), "No level belongs to the scheme none"),
        (changed(target={"op": "all"}), "of is missing"),
        (changed(target={"cases": []}), "cases is missing"),
        (changed(target=None), "name: value"),
        (changed(formula="fresh_water / people"), "uses people"),
        (changed(formula="open('x')"), "not allowed"),
        (changed(required="maybe"), "true or false, not maybe"),
        (changed(direction="up"), "up is not known"),
        (changed(provenance=None), "provenance is missing"),
        (changed(name=None), "name is missing"),
    ],
)
def test_bad_frameworks_are_refused_with_the_place(content, words):
    with pytest.raises(UserError, match=words) as caught:
        read_framework(content, "bad.yaml")
    assert all(problem.file == "bad.yaml" for problem in caught.value.problems)


def test_all_problems_of_a_file_come_at_once():
    with pytest.raises(UserError) as caught:
        read_framework(changed(direction="up", provenance=None, required="maybe"), "bad.yaml")
    assert len(caught.value.problems) == 3


def test_an_indicator_that_stands_twice_is_refused():
    tree = yaml.safe_load(yaml.safe_dump(OWN))
    indicators = tree["dimensions"][0]["categories"][0]["indicators"]
    indicators.append(dict(indicators[0]))
    with pytest.raises(UserError, match="stands twice"):
        read_framework(yaml.safe_dump(tree).encode(), "bad.yaml")


def test_groups_are_checked():
    tree = yaml.safe_load(yaml.safe_dump(OWN))
    tree["framework"]["groups"] = [{"id": "g", "rule": "at_least", "n": 3, "of": ["own-1", "own-9"]}]
    with pytest.raises(UserError) as caught:
        read_framework(yaml.safe_dump(tree).encode(), "bad.yaml")
    assert len(caught.value.problems) == 2


def test_a_unit_that_does_not_fit_is_refused():
    heavy = changed(inputs={"fresh_water": "kg/a", "pop_total": "person"}, unit="kg/person")
    framework = read_framework(heavy, "bad.yaml")
    with pytest.raises(UserError, match=r"line \d+.*does not fit m3/a"):
        glossary([framework])
    framework = read_framework(changed(inputs={"fresh_water": "bucket", "pop_total": "person"}), "bad.yaml")
    with pytest.raises(UserError, match="bucket"):
        glossary([framework])
