"""Finding a commodity or a technology by what people call it, in both languages."""

import re
import unicodedata
from collections.abc import Iterable

import polars as pl
from rapidfuzz import fuzz, process

from cyclopolis.library.tables import Library, load_library

_EXACT, _PREFIX, _SUBSTRING, _LIKENESS = 100.0, 94.0, 88.0, 0.84
_WEAKEST = 55.0
_SHORT = 3
"""Below this length a part of a name says nothing; whole names are compared."""


def _plain(text: str) -> str:
    """Return text as it is compared: full-width and case folded, brackets and their content gone, ``_`` as space."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
    return " ".join(re.sub(r"\([^)]*\)", " ", folded).split())


def _score(query: str, name: str) -> float:
    """Return how well a name answers: the same > starts with it > contains it > merely like it; shorter is better."""
    if query == name:
        return _EXACT
    if query in name:
        return (_PREFIX if name.startswith(query) else _SUBSTRING) + 5.0 * len(query) / len(name)
    like = fuzz.ratio if min(len(query), len(name)) < _SHORT else fuzz.WRatio
    return _LIKENESS * like(query, name)


def _names(table: pl.DataFrame, kind: str) -> Iterable[tuple[str, str, str, str, tuple[str, ...]]]:
    for row in table.iter_rows(named=True):
        aliases = (row["aliases"] or "").split(";")
        names = {_plain(text) for text in (row[kind], row["name"], row["name_zh"], *aliases) if text}
        yield kind, row[kind], row["name"], row["name_zh"], tuple(sorted(names - {""}))


def search_library(text: str, library: Library | None = None, limit: int = 20) -> pl.DataFrame:
    """Find commodities and technologies by identifier, English or Chinese name, or alias.

    Parameters
    ----------
    text : str
        What to look for, in either language.
    library : Library, optional
        Where; the package's own library by default.
    limit : int
        Most rows to return.

    Returns
    -------
    polars.DataFrame
        ``kind, id, name, name_zh, score`` with the best first: an equal name scores 100, a name that starts with or
        contains the text above 88, a similar one below 84; nothing under 55 is listed.

    Examples
    --------
    >>> search_library("电石渣", limit=1)["id"].item()
    'carbide_slag'
    >>> search_library("carbide slag", limit=1)["id"].item()
    'carbide_slag'
    """
    known = load_library() if library is None else library
    query = _plain(text)
    entries = (*_names(known.commodities, "commodity"), *_names(known.technologies, "technology"))
    scores = [max((_score(query, name) for name in names), default=0.0) if query else 0.0 for *_, names in entries]
    table = pl.DataFrame(
        [(*entry[:4], round(score, 1)) for entry, score in zip(entries, scores, strict=True)],
        schema={"kind": pl.String, "id": pl.String, "name": pl.String, "name_zh": pl.String, "score": pl.Float64},
        orient="row",
    )
    found = table.filter(pl.col("score") >= _WEAKEST)
    return found.sort(["score", "kind", "id"], descending=[True, False, False]).head(limit)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like the given one, or an empty text when none is like it.

    Examples
    --------
    >>> nearest("lime_kilm", ["lime_kiln", "coking"])
    'lime_kiln'
    """
    best = process.extractOne(name, sorted(known), scorer=fuzz.ratio, score_cutoff=_WEAKEST)
    return best[0] if best else ""
