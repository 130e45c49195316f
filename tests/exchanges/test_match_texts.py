"""Texts in both languages are understood as things, and things fit each other by rule, not by likeness."""

import polars as pl
import pytest

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.match_fit import LEAST, judge, relations
from cyclopolis.industry.exchanges.match_legal import legal_columns, legal_status
from cyclopolis.industry.exchanges.match_score import labelled_parks, score_matches
from cyclopolis.library import load_library
from cyclopolis.library.lexicon import lexicon


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("fly ash", "fly_ash"),
        ("Pulverised Fuel Ash (PFA), 20 kt/a", "fly_ash"),
        ("电厂粉煤灰", "fly_ash"),
        ("gypsum from flue-gas desulphurisation", "fgd_gypsum"),
        ("烟气脱硫石膏 3万吨/年", "fgd_gypsum"),
        ("slag from blast furnaces", "bf_slag"),
        ("spent grains", "distillers_grains"),
        ("Waste wood pallets", "wood_waste"),
        ("废旧轮胎", "waste_tyre"),
        ("used tires", "waste_tyre"),
        ("carbide slags", "carbide_slag"),
        ("用于水泥生产的粉煤灰", "fly_ash"),
        ("合成氨过程产生的气化渣", "gasification_slag"),
        ("raw material for brick making", "brick_raw_material"),
        ("制砖原料", "brick_raw_material"),
        ("phosphogypsm", "phosphogypsum"),
        ("water for cooling", "cooling_water"),
        ("氧化铝赤泥", "red_mud"),
    ],
)
def test_a_text_means_its_thing(text: str, thing: str) -> None:
    assert lexicon().meaning(text).things[0] == thing


def test_a_text_without_sense_means_nothing() -> None:
    for text in ("", "   ", "###", "qwertyuiop zxcvb", "123 t/a"):
        assert lexicon().meaning(text).things == ()


@pytest.mark.parametrize(
    ("offer", "need"),
    [
        ("fly ash", "pozzolan for cement"),
        ("脱硫石膏", "gypsum as raw material for plasterboard"),
        ("surplus yeast", "pig feed"),
        ("废糖蜜", "酒精发酵原料"),
        ("carbide slag", "limestone substitute"),
        ("used cooking oil", "biodiesel feedstock"),
        ("excess heat", "district heating"),
        ("steel slag", "筑路材料"),
        ("扫出的木屑", "solid fuel"),
    ],
)
def test_what_fits_is_found(offer: str, need: str) -> None:
    assert judge().texts(offer, need).score >= LEAST


@pytest.mark.parametrize(
    ("offer", "need"),
    [
        ("fly ash", "soda ash"),
        ("red mud", "salt mud"),
        ("waste water", "waste wood"),
        ("coal tar", "steam coal"),
        ("glass wool", "wool yarn"),
        ("硫酸", "硫酸铵"),
        ("石灰石", "石膏"),
        ("electricity", "raw material for cement"),
        ("asbestos", "animal feed"),
    ],
)
def test_likeness_of_words_is_no_fit(offer: str, need: str) -> None:
    assert judge().texts(offer, need).score < LEAST


def test_a_branch_stands_for_a_need_without_words() -> None:
    assert judge().texts("sewage sludge", "", taker="Soil Remediation Company").basis == "industry"
    assert judge().texts("fly ash", "", taker="某某水泥厂").score >= LEAST
    assert judge().texts("fly ash", "", taker="trout farm").score < LEAST


def test_the_labelled_parks_are_found() -> None:
    score = score_matches(labelled_parks())
    assert score.recall >= 0.9
    assert score.precision >= 0.5
    by_park = dict(score.by_park.select("park", "real").iter_rows())
    assert by_park.pop("all") == sum(by_park.values())
    assert set(by_park) == {"guitang", "kalundborg", "lubei", "shanxi_coal"}


def test_order_of_a_labelled_file_changes_nothing() -> None:
    rows = pl.read_csv(labelled_parks(), infer_schema=False)
    assert score_matches(rows.reverse()).by_park.equals(score_matches(rows).by_park)


def test_labels_in_chinese_and_chinese_headers() -> None:
    rows = pl.DataFrame({"供应": ["粉煤灰", "粉煤灰"], "需求": ["水泥混合材", "尿素"], "是否匹配": ["是", "否"]})
    score = score_matches(rows)
    assert (score.precision, score.recall) == (1.0, 1.0)


def test_a_bad_label_is_told_with_its_row() -> None:
    rows = pl.DataFrame({"offer": ["a"], "need": ["b"], "label": ["perhaps"]})
    with pytest.raises(UserError) as told:
        score_matches(rows)
    problem = told.value.problems[0]
    assert (problem.row, problem.value, problem.text.key) == (2, "perhaps", "match.bad_label")


def test_a_labelled_file_needs_its_columns() -> None:
    with pytest.raises(UserError, match="no column"):
        score_matches(pl.DataFrame({"colour": ["red"]}))


def test_carbide_slag_is_hazardous_in_one_law_and_not_in_the_other() -> None:
    row = legal_columns(load_library()).filter(concept="carbide_slag").row(0, named=True)
    assert (row["status_cn"], row["code_cn"]) == ("general_waste", "SW16")
    assert (row["status_eu"], row["code_eu"]) == ("hazardous_waste", "06 02 01*")


def test_every_hazardous_code_makes_hazardous_waste() -> None:
    rows = legal_status(load_library())
    told = rows.filter(pl.col("condition").is_null() & pl.col("code").is_not_null())
    hazardous = told["code"].str.starts_with("HW") | told["code"].str.ends_with("*")
    assert ((told["status"] == "hazardous_waste") == hazardous).all()


def test_relations_hold_for_themselves_and_have_a_fit() -> None:
    rows = relations(load_library())
    assert rows["fit"].is_between(0, 1).all()
    own = rows.filter((pl.col("offer") == pl.col("need")) & (pl.col("basis") == "exact"))
    assert own.height == load_library().concepts.height
    assert rows.select("offer", "need", "technology").is_duplicated().sum() == 0
    assert (rows["ratio"].drop_nulls() > 0).all()


def test_the_public_names_are_there() -> None:
    assert cyclopolis.score_matches is score_matches
