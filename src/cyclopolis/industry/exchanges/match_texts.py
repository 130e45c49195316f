"""The words of a list: each distinct text is read once; texts that no name explains are compared with each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cyclopolis.industry.exchanges.match_fit import ALIKE, FIT, alike
from cyclopolis.library import Library
from cyclopolis.library.lexicon import lexicon, plain, words

READ = 300_000
"""Distinct texts, the commonest first, that are read; later ones count as not understood."""
COMPARED = 2_000_000
"""Pairs of texts without a name that are compared."""


@dataclass(frozen=True)
class Things:
    """What a list's texts mean.

    Parameters
    ----------
    rows : sequence of (text, concept, fit)
        Every text with each of its concepts; a text without a name is a concept of its own (``~text``).
    pairs : sequence of (offer, need, likeness)
        Texts without a name that are alike, as concepts.
    unread : sequence of str
        Texts without a name that are like none of the other side.
    own : sequence of (concept, like, fit)
        The concepts that are not the library's.
    """

    rows: Sequence[tuple[str, str, float]]
    pairs: Sequence[tuple[str, str, float]]
    unread: Sequence[str]
    own: Sequence[tuple[str, str | None, float]]

    def related(self, like: pl.DataFrame) -> pl.DataFrame:
        """Return the likenesses as relations with the columns of ``like``."""
        table = pl.DataFrame(
            list(self.pairs), schema={"offer": pl.String, "need": pl.String, "fit": pl.Float64}, orient="row"
        ).with_columns(basis=pl.lit("text"), ratio=1.0, provenance=pl.lit("user"))
        return table.select([name for name in like.columns if name in table.columns])


def read_things(rows: Sequence[tuple[str, bool, bool, str | None]], library: Library) -> Things:
    """Read texts.

    Parameters
    ----------
    rows : sequence of (text, offered, needed, industry)
        Distinct texts, the commonest first; one that begins with ``@`` is the branch of a need without words.
    library : Library

    Returns
    -------
    Things
    """
    names = lexicon()
    known = set(names.concepts)
    takes = {
        row[0]: [one for one in (row[1] or "").split(";") if one]
        for row in library.industries.select("industry", "takes").iter_rows()
    }
    gives = {
        row[0]: [one for one in (row[1] or "").split(";") if one]
        for row in library.industries.select("industry", "gives").iter_rows()
    }
    found: list[tuple[str, str, float]] = []
    nameless: list[tuple[str, bool, bool]] = []
    for text, offered, needed, industry in rows[:READ]:
        if text in known:
            found.append((text, text, 1.0))
            continue
        meaning = names.meaning(text.lstrip("@"))
        things = [] if text.startswith("@") else [(thing, meaning.sure) for thing in meaning.things]
        if not things:
            kinds = meaning.industries or (names.industries(industry) if industry else ())
            sides = [takes] if needed and not offered else [gives] if offered and not needed else []
            things = [(thing, FIT["industry"]) for kind in kinds for side in sides for thing in side.get(kind, ())]
        if things:
            found += [(text, thing, fit) for thing, fit in dict(reversed(things)).items()]
        else:
            nameless.append((text, offered, needed))
    pairs, lonely = _alike(nameless)
    own = [(f"~{text}", None, 1.0) for text, _, _ in nameless]
    found += [(text, f"~{text}", 1.0) for text, _, _ in nameless]
    return Things(found, pairs, [*lonely, *(row[0] for row in rows[READ:])], own)


def _alike(texts: Sequence[tuple[str, bool, bool]]) -> tuple[list[tuple[str, str, float]], list[str]]:
    """Return pairs of an offer and a need without a name that are alike, and the texts that are in none."""
    tokens = {text: set(words(plain(text))) or set(plain(text)) for text, _, _ in texts}
    needs: dict[str, list[str]] = {}
    for text, _, needed in texts:
        if needed:
            for token in sorted(tokens[text]):
                needs.setdefault(token, []).append(text)
    pairs: list[tuple[str, str, float]] = []
    met: set[str] = set()
    compared = 0
    for text, offered, _ in texts:
        if not offered or compared > COMPARED:
            continue
        others = sorted({other for token in tokens[text] for other in needs.get(token, ())})
        compared += len(others)
        for other in others:
            score = alike(plain(text), plain(other))
            if 100 * score >= ALIKE and text != other:
                pairs.append((f"~{text}", f"~{other}", score * FIT["text"] / (ALIKE / 100)))
                met |= {text, other}
            elif text == other:
                met.add(text)
    return pairs, [text for text, _, _ in texts if text not in met]
