"""The editor keeps every byte that it is not told to change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.infrastructure.drainage.inp import Inp, read_row, section_key
from cyclopolis.study.verify.cases import bundled_cases

MODELS = sorted((bundled_cases()[0].parent / "swmm").glob("*.inp"))

ODD = (
    b'\xef\xbb\xbf[TITLE]\r\n ;;x\r\n\xc9t\xe9\r\n[options]\n\tFLOW_UNITS\tCFS;unit\n\n[Foo Bar]\r\nkeep  me "a b" ;\n'
    b"[SUBCATCHMENTS]\r\nS1   Gage   O1   4.5   50\r\n;S9 old\r\nS2 Gage O1 1 2 ;last\r\n\r\n[LID_USAGE]\nS1 Swale 1 10"
)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_round_trip_of_bundled_models(path, ends) -> None:
    data = path.read_bytes().replace(b"\n", ends)
    assert Inp.parse(data).to_bytes() == data


def test_five_models_are_bundled() -> None:
    assert {"LID_Model", "Site_Drainage_Model", "Pre_Development", "Example1", "Example3"} <= {p.stem for p in MODELS}


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_survive(data) -> None:
    assert Inp.parse(data).to_bytes() == data


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["[OPTIONS]\n", "A 1\n", "\r\n", "; c\n", "[x]\r\n", 'B "u v" 2;e\r\n', " C\t3"]), max_size=12
    )
)
def test_an_edit_touches_one_line_only(parts) -> None:
    model = Inp.parse("".join(parts).encode())
    for section in model.sections:
        for row in model.rows(section):
            changed = model.set_field(section, row, len(row.fields) - 1, "new value")
            differing = [
                place for place, pair in enumerate(zip(model.lines, changed.lines, strict=True)) if pair[0] != pair[1]
            ]
            assert differing == [row.line]
            again = read_row(changed.lines[row.line], row.line)
            assert again is not None
            assert again.fields == (*row.fields[:-1], "new value")


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("value", [0, "0.123456789", "a b"])
def test_a_field_of_all_rows_is_that_of_each(path, value) -> None:
    model = Inp.parse(path.read_bytes())
    for section in ("SUBCATCHMENTS", "SUBAREAS", "CONDUITS", "NOWHERE"):
        one_by_one = model
        for place in range(len(model.rows(section))):
            one_by_one = one_by_one.set_field(section, one_by_one.rows(section)[place], 4, value)
        assert model.set_fields(section, 4, value).to_bytes() == one_by_one.to_bytes()


def test_odd_file_is_read_and_edited_in_place() -> None:
    model = Inp.parse(ODD)
    assert model.to_bytes() == ODD
    assert model.option("flow_units") == "CFS"
    assert model.names("SUBCATCHMENT") == ("S1", "S2")
    assert [row.number for row in model.rows("[subcatchments]")] == [10, 12]
    first = model.rows("SUBCATCHMENTS")[0]
    assert b"S1   Gage   O1   12.25 50\r\n" in model.set_field("SUBCATCHMENTS", first, 3, 12.25).to_bytes()
    assert model.set_field("SUBCATCHMENTS", first, 3, 12.25).to_bytes().replace(b"12.25 50", b"4.5   50") == ODD
    with pytest.raises(ValueError, match="no such row"):
        model.set_field("OPTIONS", first, 0, "x")


def test_rows_are_added_and_removed_where_they_belong() -> None:
    model = Inp.parse(ODD)
    more = model.add_rows("LID_USAGE", [("S2", "Rain Garden", 1, 20.5)])
    assert more.to_bytes().startswith(ODD)
    assert more.rows("LID_USAGE")[1].fields == ("S2", "Rain Garden", "1", "20.5")
    assert model.remove_rows("LID_USAGE").rows("LID_USAGE") == ()
    less = model.remove_rows("SUBCATCHMENTS", lambda row: row.fields[0] == "S2")
    assert less.names("SUBCATCHMENTS") == ("S1",)
    assert less.to_bytes() == ODD.replace(b"S2 Gage O1 1 2 ;last\r\n", b"")
    new = model.add_rows("DWF", [("J1", "FLOW", 0.5)])
    assert new.to_bytes().endswith(b"[DWF]\r\nJ1              FLOW            0.5\r\n")
    assert model.add_rows("DWF", []) is model
    assert new.replace_rows("DWF", [("J2", "FLOW", 1)]).names("DWF") == ("J2",)


def test_options_are_set_or_added() -> None:
    model = Inp.parse(ODD)
    assert model.set_option("FLOW_UNITS", "CFS") is model
    assert model.set_option("THREADS", 1).option("threads") == "1"
    assert model.set_option("FLOW_UNITS", "LPS").option("FLOW_UNITS") == "LPS"


def test_sections_are_known_by_their_beginning() -> None:
    assert section_key("[INLET_USAGE]") == "INLET_USAGE"
    assert section_key("[INLETS]") == "INLET"
    assert section_key("[POLLUTANTS]") == "POLLUT"
