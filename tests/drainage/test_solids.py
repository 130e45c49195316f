"""Suspended solids where a user's own model has none: what is added, what it gives, and what is refused."""

from pathlib import Path
from shutil import copytree

import pytest

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.infrastructure.drainage.engine import Drain, DrainOptions, drain
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.solids import solids, solids_in, with_solids, with_solids_everywhere
from cyclopolis.infrastructure.drainage.swmm import run_swmm
from cyclopolis.plan import read_plan

EXAMPLE = cyclopolis.example("sponge")


def example(name: str) -> Inp:
    return Inp.parse((EXAMPLE / name).read_bytes())


def variant_rows(result: Drain) -> dict[str, dict]:
    return {row["variant"]: row for row in result.tables["variants"].iter_rows(named=True)}


def plan_with(folder: Path, **mg_l: str) -> Path:
    copytree(EXAMPLE, folder)
    lines = ["variant,inp,ss_mg_l,source"]
    files = {"before": "Pre_Development.inp", "grey": "Site_Drainage_Model.inp", "sponge": "LID_Model.inp"}
    lines += [f"{name},{file},{mg_l.get(name, '')},EPA" for name, file in files.items()]
    (folder / "drainage_models.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_loads_of_own_models_follow_their_concentration(tmp_path: Path) -> None:
    options = DrainOptions(storm="2-year")
    found = variant_rows(drain(read_plan(plan_with(tmp_path / "a", before="21", sponge="101")), options))
    before, grey, sponge = found["before"], found["grey"], found["sponge"]
    assert before["ss_kg"] == pytest.approx(0.021 * before["runoff_m3"], rel=0.01)
    assert 0.5 * 0.101 * sponge["runoff_m3"] < sponge["ss_kg"] < 1.01 * 0.101 * sponge["runoff_m3"]
    assert grey["ss_kg"] == pytest.approx(587.196 * 0.45359237)
    twice = variant_rows(drain(read_plan(plan_with(tmp_path / "b", before="42", sponge="202")), options))
    for name in ("before", "sponge"):
        assert twice[name]["ss_kg"] == pytest.approx(2 * found[name]["ss_kg"], rel=2e-3)
        assert {key: value for key, value in twice[name].items() if key != "ss_kg"} == {
            key: value for key, value in found[name].items() if key != "ss_kg"
        }
    assert twice["grey"] == grey


def test_without_a_concentration_the_load_is_unknown_and_said(tmp_path: Path) -> None:
    result = drain(read_plan(plan_with(tmp_path / "a", before="21")), DrainOptions(storm="2-year"))
    assert variant_rows(result)["sponge"]["ss_kg"] is None
    missing = result.tables["unknowns"].filter(reason="drainage_no_ss")
    assert missing["item"].to_list() == ["sponge"]


def test_a_concentration_beside_own_solids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        drain(read_plan(plan_with(tmp_path / "a", grey="80")))
    (problem,) = caught.value.problems
    assert (problem.file, problem.column, problem.value) == ("drainage_models", "ss_mg_l", "80")
    assert "TSS already" in problem.render("en")
    assert "TSS" in problem.render("zh")


def test_a_negative_concentration_is_refused_when_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ss_mg_l"):
        read_plan(plan_with(tmp_path / "a", before="-1"))


def test_land_uses_that_stand_keep_their_ground() -> None:
    model = example("Site_Drainage_Model.inp")
    for section in ("BUILDUP", "WASHOFF", "LOADINGS", "POLLUTANTS"):
        model = model.remove_rows(section)
    made = with_solids_everywhere(model, 50.0)
    covered: dict[str, float] = {}
    for row in made.rows("COVERAGES"):
        covered[row.fields[0]] = covered.get(row.fields[0], 0.0) + float(row.fields[2])
    assert covered == dict.fromkeys(model.names("SUBCATCHMENTS"), 100.0)
    assert set(made.names("WASHOFF")) == set(made.names("LANDUSES")) == {*model.names("LANDUSES"), "USE1"}
    before = [row.fields for row in model.rows("COVERAGES")]
    assert [row.fields for row in made.rows("COVERAGES")][: len(before)] == before


def test_everywhere_means_every_litre(tmp_path: Path) -> None:
    model = example("Site_Drainage_Model.inp")
    for section in ("BUILDUP", "WASHOFF", "LOADINGS", "POLLUTANTS"):
        model = model.remove_rows(section)
    totals = run_swmm(with_solids_everywhere(model, 50.0).to_bytes(), tmp_path).totals
    assert solids(totals.washed_kg) == pytest.approx(0.05 * totals.volume_m3["wet_weather"], rel=2e-3)
    assert solids(totals.discharged_kg) == pytest.approx(0.05 * totals.volume_m3["outflow"], rel=0.02)


def test_a_name_that_is_taken_is_passed_over() -> None:
    model = Inp.parse(b"[SUBCATCHMENTS]\nS1 * J1 4 25 400 0.5 0\nS2 * J1 4 25 400 0.5 0\n[LANDUSES]\nUSE1\nUSE3\n")
    made = with_solids(model, {"S1": 10.0, "S2": 20.0})
    assert made.names("LANDUSES") == ("USE1", "USE3", "USE2", "USE4")
    assert [row.fields for row in made.rows("COVERAGES")] == [("S1", "USE2", "100"), ("S2", "USE4", "100")]


def test_ground_that_is_wholly_covered_gets_no_land_use() -> None:
    model = Inp.parse(b"[SUBCATCHMENTS]\nS1 * J1 4 25 400 0.5 0\n[LANDUSES]\nA\nB\n[COVERAGES]\nS1 A 60 B 40\n")
    assert [row.fields for row in with_solids(model, {"S1": 10.0}).rows("COVERAGES")] == [("S1", "A", "60", "B", "40")]


def test_nothing_given_changes_nothing() -> None:
    model = example("LID_Model.inp")
    assert with_solids(model, {}) is model
    assert solids_in(model) is None


def test_quality_that_is_switched_off_is_switched_on() -> None:
    model = Inp.parse(b"[OPTIONS]\nIGNORE_QUALITY YES\n[SUBCATCHMENTS]\nS1 * J1 4 25 400 0.5 0\n")
    assert with_solids_everywhere(model, 5.0).option("IGNORE_QUALITY") == "NO"
    assert "IGNORE_QUALITY" not in with_solids_everywhere(example("LID_Model.inp"), 5.0).to_bytes().decode()


def test_many_pollutants_are_read_from_several_tables(tmp_path: Path) -> None:
    names = [f"P{place}" for place in range(1, 8)]
    model = example("Pre_Development.inp").add_rows("LANDUSES", [("MEADOW",)])
    model = model.add_rows("POLLUTANTS", [(name, "MG/L", 0, 0, 0, 0, "NO", "*", 0, 0, 0) for name in [*names, "SS"]])
    rows = [(name, 10.0 * place) for place, name in enumerate([*names, "SS"], start=1)]
    model = model.add_rows("WASHOFF", [("MEADOW", name, "EMC", value, 0, 0, 0) for name, value in rows])
    model = model.add_rows("COVERAGES", [("PreDevelop", "MEADOW", 100)])
    loads = run_swmm(model.to_bytes(), tmp_path).totals.discharged_kg
    assert list(loads) == [*names, "SS"]
    for place, load in enumerate(loads.values(), start=1):
        assert load == pytest.approx(place * loads["P1"], rel=2e-3)
