"""How good the matching is: precision and recall on exchanges that somebody labelled."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import polars as pl

from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import message
from cyclopolis.industry.exchanges.match_fit import LEAST, judge

COLUMNS = {
    "offer": (
        "offer",
        "offer_text",
        "material",
        "commodity",
        "transaction",
        "waste",
        "output",
        "supply",
        "text_a",
        "供应",
        "供应物料",
        "物料",
        "废物",
        "产出",
    ),
    "need": ("need", "need_text", "demand", "input", "want", "use", "text_b", "需求", "需求物料", "用途", "投入"),
    "giver": (
        "giver",
        "supplier",
        "from",
        "source_actor",
        "offer_actor",
        "giver_industry",
        "donor",
        "producer",
        "供方",
        "供方企业",
        "供应方",
    ),
    "taker": (
        "taker",
        "receiver",
        "to",
        "recipient",
        "need_actor",
        "taker_industry",
        "consumer",
        "user",
        "受方",
        "受方企业",
        "接收方",
    ),
    "park": ("park", "set", "group", "case", "network", "place", "园区", "案例"),
    "label": ("label", "match", "is_match", "positive", "exchange", "y", "truth", "标签", "是否匹配", "匹配"),
}
"""Names that a labelled file may give its columns."""
_YES = frozenset(("1", "yes", "y", "true", "match", "positive", "t", "是", "匹配", "1.0"))
_NO = frozenset(("0", "no", "n", "false", "none", "negative", "f", "否", "不匹配", "0.0"))


@dataclass(frozen=True)
class Score:
    """Precision and recall.

    Parameters
    ----------
    pairs : polars.DataFrame
        ``park, giver, offer, taker, need, label, fit, basis, found``: each pair judged.
    by_park : polars.DataFrame
        ``park, pairs, real, found, right, precision, recall, f1``; the last row is ``all``.
    """

    pairs: pl.DataFrame
    by_park: pl.DataFrame

    @property
    def precision(self) -> float:
        """Share of the found pairs that are real."""
        return float(self.by_park["precision"][-1])

    @property
    def recall(self) -> float:
        """Share of the real pairs that are found."""
        return float(self.by_park["recall"][-1])


def labelled_parks() -> Path:
    """Return the bundled labelled set: exchanges of Kalundborg, Guitang, Lubei and a Shanxi coal park."""
    return Path(str(files("cyclopolis.industry.exchanges") / "labelled" / "parks.csv"))


def score_matches(source: Path | str | pl.DataFrame, least: float = LEAST) -> Score:
    """Judge a labelled file and compare.

    Parameters
    ----------
    source : path or polars.DataFrame
        Columns ``offer`` and ``need`` (either may be missing where ``giver`` and ``taker`` name enterprises or
        branches), ``park`` and ``label`` (yes or no). Without labels every row is a real exchange, and every
        other pair of an offer and a need of one park is none.
    least : float
        Fit from which on a pair counts as found.

    Returns
    -------
    Score

    Raises
    ------
    UserError
        If the file is missing, has no column for what is offered or needed, or a label is neither yes nor no.

    Examples
    --------
    >>> rows = pl.DataFrame({"offer": ["fly ash", "fly ash"], "need": ["pozzolan", "soda ash"], "label": ["1", "0"]})
    >>> score = score_matches(rows)
    >>> score.precision, score.recall
    (1.0, 1.0)
    """
    rows = _read(source)
    pairs = rows if rows["label"].null_count() == 0 else _crossed(rows)
    fits = [judge().texts(*row) for row in pairs.select("offer", "need", "giver", "taker").iter_rows()]
    judged = pairs.with_columns(
        fit=pl.Series([fit.score for fit in fits], dtype=pl.Float64),
        basis=pl.Series([fit.basis for fit in fits], dtype=pl.String),
    ).with_columns(found=pl.col("fit") >= least)
    parks = [_counted(judged.filter(pl.col("park") == park), park) for park in judged["park"].unique().sort()]
    return Score(judged, pl.concat([*parks, _counted(judged, "all")]))


def _read(source: Path | str | pl.DataFrame) -> pl.DataFrame:
    """Return a labelled file with its columns under their own names; a label that is missing is null."""
    name = "table"
    if isinstance(source, pl.DataFrame):
        table = source.cast(pl.String)
    else:
        path = Path(source)
        name = path.name
        if not path.is_file():
            raise user_error("match.no_file", file=path)
        table = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
    headers = {_fold(header): header for header in table.columns}
    columns = {
        key: next((headers[_fold(one)] for one in names if _fold(one) in headers), None)
        for key, names in COLUMNS.items()
    }
    if columns["offer"] is None and columns["giver"] is None:
        raise _no_column("offer", table.columns, name)
    if columns["need"] is None and columns["taker"] is None:
        raise _no_column("need", table.columns, name)
    picked = {key: pl.lit(None, pl.String) if column is None else pl.col(column) for key, column in columns.items()}
    rows = table.select(**picked).with_columns(
        pl.col(key).fill_null("").str.strip_chars() for key in ("offer", "need", "giver", "taker", "park")
    )
    label = pl.col("label").str.strip_chars().str.to_lowercase()
    told = rows.with_columns(
        label=pl.when(label.is_in(sorted(_YES)))
        .then(pl.lit(value=True))
        .when(label.is_in(sorted(_NO)))
        .then(pl.lit(value=False)),
        said=label,
    ).with_row_index("line", offset=2)
    wrong = told.filter(pl.col("label").is_null() & pl.col("said").is_not_null() & (pl.col("said") != ""))
    if wrong.height:
        text = message("match.bad_label")
        raise UserError(
            [
                Problem(text, file=name, row=row["line"], column="label", value=row["said"])
                for row in wrong.head(5).iter_rows(named=True)
            ]
        )
    return told.select("park", "giver", "offer", "taker", "need", "label")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip().replace(" ", "_").lstrip("\ufeff")


def _no_column(column: str, headers: Sequence[str], name: str) -> UserError:
    return UserError([Problem(message("match.no_column", column=column, headers=", ".join(headers)), file=name)])


def _crossed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return every pair of an offer and a need of one park; those that the rows name are real."""
    real = rows.drop("label").unique()
    offers = real.select("park", "giver", "offer").unique()
    needs = real.select("park", "taker", "need").unique()
    pairs = offers.join(needs, on="park").filter((pl.col("giver") != pl.col("taker")) | (pl.col("giver") == ""))
    keys = ["park", "giver", "offer", "taker", "need"]
    return (
        pairs.join(real.with_columns(label=pl.lit(value=True)), on=keys, how="left")
        .with_columns(pl.col("label").fill_null(value=False))
        .sort(keys)
        .select(*keys, "label")
    )


def _counted(judged: pl.DataFrame, park: str) -> pl.DataFrame:
    real, found = judged["label"], judged["found"]
    right, told, true = (int(values.cast(pl.Int64).sum()) for values in (real & found, found, real))
    precision = right / told if told else float("nan")
    recall = right / true if true else float("nan")
    f1 = 2 * precision * recall / (precision + recall) if right else float("nan")
    return pl.DataFrame(
        {
            "park": [park],
            "pairs": [judged.height],
            "real": [true],
            "found": [told],
            "right": [right],
            "precision": [precision],
            "recall": [recall],
            "f1": [f1],
        }
    )
