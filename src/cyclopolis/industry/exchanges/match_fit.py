"""What may take the place of what: relations between concepts, from the library's recipes, rules and vocabulary."""

from dataclasses import dataclass
from functools import cache, lru_cache

import polars as pl
from rapidfuzz import fuzz, utils

from cyclopolis.library import Library, load_library
from cyclopolis.library.lexicon import Meaning, lexicon, serves, words

BASES = ("exact", "substitution", "use", "kind", "processing", "narrower", "industry", "text")
"""Why an offer fits a need: the same thing; a rule of the library; a rule whose taker's recipe names the thing anyway;
the thing is a kind of what is needed or may serve as it; one step of processing makes what is needed; what is offered
says less than what is needed; the kind of enterprise takes it; the texts are alike."""
FIT = {
    "exact": 1.0,
    "substitution": 0.9,
    "use": 0.8,
    "kind": 0.85,
    "processing": 0.65,
    "narrower": 0.55,
    "industry": 0.8,
    "text": 0.6,
}
"""How well each fits, from 0 to 1 (assumed)."""
SECOND_STEP = 0.8
"""Factor of a kind of a kind (assumed)."""
LEAST = 0.5
"""Fit from which on a pair is a match."""
ALIKE = 86.0
"""Likeness (rapidfuzz, 0 to 100) from which on two texts that no name explains are the same thing."""
_SCHEMA = {
    "offer": pl.String,
    "need": pl.String,
    "basis": pl.String,
    "technology": pl.String,
    "ratio": pl.Float64,
    "fit": pl.Float64,
    "process_cost": pl.Float64,
    "step": pl.String,
    "max_share_pct": pl.Float64,
    "pretreatment": pl.String,
    "technical_limit": pl.String,
    "co2_credit": pl.Float64,
    "provenance": pl.String,
}


@lru_cache(maxsize=4)
def relations(library: Library) -> pl.DataFrame:
    """Return which concept may be given where which is needed.

    Parameters
    ----------
    library : Library

    Returns
    -------
    polars.DataFrame
        ``offer, need, basis, technology`` (that the taker must run; null: any), ``ratio`` (units of need per unit
        given; null where the units do not tell), ``fit``, ``process_cost`` (CNY per unit given), ``step`` (technology
        that makes it fit), ``max_share_pct``,
        ``pretreatment``, ``technical_limit``, ``co2_credit``, ``provenance``. One row per offer, need and technology:
        the best.

    Examples
    --------
    >>> rows = relations(load_library())
    >>> rows = rows.filter(offer="fgd_gypsum", need="natural_gypsum", technology="gypsum_board")
    >>> rows.select("basis", "ratio").row(0)
    ('substitution', 1.0)
    """
    parts = [_same(library), _rules(library), _kinds(library), _processing(library)]
    order = pl.col("basis").replace_strict({name: rank for rank, name in enumerate(BASES)}, return_dtype=pl.Int64)
    return (
        pl.concat([pl.DataFrame(schema=_SCHEMA), *[_shaped(part) for part in parts]])
        .with_columns(order=order)
        .sort("offer", "need", "technology", "order", nulls_last=False)
        .unique(["offer", "need", "technology"], keep="first", maintain_order=True)
        .drop("order")
    )


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in _SCHEMA.items() if name not in rows.columns]
    return rows.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items())


def _same(library: Library) -> pl.DataFrame:
    """Return every concept and commodity for itself."""
    names = pl.concat([library.concepts["concept"], library.commodities["commodity"]]).unique().sort()
    return pl.DataFrame({"offer": names, "need": names}).with_columns(
        basis=pl.lit("exact"), ratio=1.0, fit=FIT["exact"], provenance=pl.lit("computed")
    )


def _rules(library: Library) -> pl.DataFrame:
    """Return the substitution rules; those whose taker's recipe names the thing anyway are uses and fit less."""
    use = pl.col("kind") == "use"
    return library.substitutions.filter((pl.col("ratio") > 0) & (pl.col("commodity") != pl.col("displaced"))).select(
        "technology",
        "ratio",
        "max_share_pct",
        "pretreatment",
        "technical_limit",
        "co2_credit",
        "provenance",
        offer="commodity",
        need="displaced",
        basis=pl.when(use).then(pl.lit("use")).otherwise(pl.lit("substitution")),
        fit=pl.when(use).then(FIT["use"]).otherwise(FIT["substitution"]),
    )


def _kinds(library: Library) -> pl.DataFrame:
    """Return what is a kind of what, or may serve as it, and the other way round where a text says less.

    At the usual ratio of the rules where there are any; else fuels stand for each other by heating value, other things
    one to one where their units agree.
    """
    facts = library.commodities.select("commodity", "unit", lhv="lhv_gj_per_unit")
    rows = (
        serves(library)
        .join(facts.rename({"commodity": "concept"}), on="concept", how="left")
        .join(facts.rename({"commodity": "broader", "unit": "other", "lhv": "other_lhv"}), on="broader", how="left")
    )
    heat = pl.col("lhv") / pl.col("other_lhv")
    told = (
        library.substitutions.filter(pl.col("ratio") > 0)
        .group_by(concept="commodity", broader="displaced")
        .agg(told=pl.col("ratio").median())
    )
    rows = rows.join(told, on=["concept", "broader"], how="left", maintain_order="left")
    same = (pl.col("unit") == pl.col("other")) | pl.col("other").is_null() | pl.col("unit").is_null()
    step = pl.when(pl.col("steps") > 1).then(SECOND_STEP).otherwise(1.0)
    down = rows.select(
        offer="concept",
        need="broader",
        basis=pl.lit("kind"),
        ratio=pl.when(pl.col("told").is_not_null())
        .then("told")
        .when(pl.col("lhv").is_not_null() & pl.col("other_lhv").is_not_null())
        .then(heat)
        .when(same)
        .then(pl.lit(1.0)),
        fit=FIT["kind"] * step,
        provenance=pl.lit("memory"),
    )
    generic = library.concepts.filter("generic")["concept"].implode()
    up = rows.filter((pl.col("steps") == 1) & pl.col("broader").is_in(generic)).select(
        offer="broader",
        need="concept",
        basis=pl.lit("narrower"),
        ratio=pl.lit(1.0),
        fit=pl.lit(FIT["narrower"]),
        provenance=pl.lit("memory"),
    )
    return pl.concat([down, up])


def _processing(library: Library) -> pl.DataFrame:
    """Return what one technology makes of a thing that is at least half of the mass that it takes."""
    mass = library.commodities.select("commodity", "kind", "natural", t="t_per_unit")
    recipes = library.recipes.join(mass, on="commodity", how="left")
    solid = (pl.col("kind") == "material") & ~pl.col("natural") | (pl.col("kind") == "water")
    inputs = recipes.filter((pl.col("direction") == "in") & solid & (pl.col("commodity") != "freshwater"))
    total = inputs.group_by("technology").agg(all_t=(pl.col("amount") * pl.col("t")).sum())
    wastes = library.substitutions.select("technology", offer="commodity").unique()
    main = inputs.join(total, on="technology").filter(pl.col("amount") * pl.col("t") >= 0.5 * pl.col("all_t"))
    made = (
        recipes.filter((pl.col("direction") == "out") & pl.col("role").is_in(["main", "byproduct"]))
        .filter(pl.col("kind") != "energy")
        .with_columns(first=pl.col("role") == "main", tonnes=pl.col("amount") * pl.col("t").fill_null(0.0))
        .sort("technology", "first", "tonnes", "commodity", descending=[False, True, True, False])
        .unique("technology", keep="first", maintain_order=True)
    )
    opex = library.technologies.select("technology", "opex", "main_direction")
    return (
        main.select("technology", offer="commodity", taken="amount")
        .join(wastes, on=["technology", "offer"], how="semi")
        .join(made.select("technology", need="commodity", made="amount"), on="technology")
        .join(opex, on="technology", how="left")
        .filter((pl.col("offer") != pl.col("need")) & (pl.col("made") > 0) & (pl.col("taken") > 0))
        .select(
            "offer",
            "need",
            basis=pl.lit("processing"),
            ratio=pl.col("made") / pl.col("taken"),
            fit=pl.lit(FIT["processing"]),
            process_cost=pl.col("opex") / pl.col("taken"),
            step="technology",
            provenance=pl.lit("memory"),
        )
        .sort("offer", "need", "ratio", descending=[False, False, True])
        .unique(["offer", "need"], keep="first", maintain_order=True)
    )


@dataclass(frozen=True)
class Fit:
    """How well an offer fits a need: from 0 to 1, why, and through which concepts."""

    score: float
    basis: str = ""
    offer: str = ""
    need: str = ""


class Judge:
    """Judges pairs of texts by the relations of a library; each pair of meanings once."""

    def __init__(self, library: Library | None = None) -> None:
        known = load_library() if library is None else library
        self._lexicon = lexicon() if library is None else None
        self._library = known
        rows = (
            relations(known).sort("fit", descending=True).unique(["offer", "need"], keep="first", maintain_order=True)
        )
        self._related = {
            (offer, need): (fit, basis)
            for offer, need, fit, basis in rows.select("offer", "need", "fit", "basis").rows()
        }
        split = known.industries.select("industry", "takes", "gives")
        self._takes = {row[0]: tuple(filter(None, (row[1] or "").split(";"))) for row in split.iter_rows()}
        self._gives = {row[0]: tuple(filter(None, (row[2] or "").split(";"))) for row in split.iter_rows()}

    def related(self, offer: str, need: str) -> Fit:
        """Return how well one concept fits another."""
        score, basis = self._related.get((offer, need), (0.0, ""))
        return Fit(score, basis, offer, need)

    def texts(self, offer: str, need: str, giver: str = "", taker: str = "") -> Fit:
        """Return how well an offer in words fits a need in words.

        Parameters
        ----------
        offer, need : str
            What is offered and what is needed, in English or Chinese; an empty need stands for whatever the taker's
            branch takes.
        giver, taker : str
            Enterprise or branch of each side, where known.

        Examples
        --------
        >>> judge().texts("pulverised fuel ash", "pozzolan for cement").basis
        'kind'
        >>> judge().texts("脱硫石膏", "天然石膏").score >= LEAST, judge().texts("fly ash", "soda ash").score >= LEAST
        (True, False)
        >>> judge().texts("sewage sludge", "", taker="soil remediation company").basis
        'industry'
        """
        names = self._lexicon or lexicon()
        given, wanted = names.meaning(offer), names.meaning(need)
        kinds = tuple(dict.fromkeys((*wanted.industries, *(names.industries(taker) if taker else ()))))
        found = self.meanings(given, wanted, kinds)
        if found.score < LEAST and not given.things and giver:
            found = max(found, self._by_giver(names.industries(giver), wanted, kinds), key=lambda fit: fit.score)
        if found.score < LEAST and not (given.things and wanted.things) and offer and need:
            found = max(found, _likeness(given, wanted), key=lambda fit: fit.score)
        return found

    def meanings(self, given: Meaning, wanted: Meaning, kinds: tuple[str, ...]) -> Fit:
        """Return how well meanings fit: thing to thing, else thing to what the taker's branch takes."""
        found = [self.related(offer, need) for offer in given.things for need in wanted.things]
        if not wanted.things:
            found += [self._taken(offer, kind) for offer in given.things for kind in kinds]
        best = max(found, key=lambda fit: fit.score, default=Fit(0.0))
        return Fit(best.score * given.sure * (wanted.sure or 1.0), best.basis, best.offer, best.need)

    def _taken(self, offer: str, kind: str) -> Fit:
        """Return how well a thing fits what a branch takes."""
        fits = [self.related(offer, taken) for taken in self._takes.get(kind, ())]
        best = max(fits, key=lambda fit: fit.score, default=Fit(0.0))
        return Fit(best.score * FIT["industry"], "industry", offer, best.need)

    def _by_giver(self, givers: tuple[str, ...], wanted: Meaning, kinds: tuple[str, ...]) -> Fit:
        """Return how well what a branch gives off fits, where its offer is not understood."""
        fits = [
            self.meanings(Meaning((thing,), (), "", 0.7), wanted, kinds)
            for giver in givers
            for thing in self._gives.get(giver, ())
        ]
        return max(fits, key=lambda fit: fit.score, default=Fit(0.0))


def alike(offer: str, need: str) -> float:
    """Return how alike two plain texts are (0 to 1): the same words in any order, or nearly the same spelling.

    Examples
    --------
    >>> alike("zeolite fines", "fines of zeolite") > 0.9, alike("zeolite fines", "coffee fines") < 0.8
    (True, True)
    """
    one, other = " ".join(words(offer)) or offer, " ".join(words(need)) or need
    return max(fuzz.token_sort_ratio(one, other, processor=utils.default_process), fuzz.ratio(one, other)) / 100


def _likeness(given: Meaning, wanted: Meaning) -> Fit:
    score = alike(given.rest, wanted.rest)
    return Fit(score if 100 * score >= ALIKE else 0.0, "text", given.rest, wanted.rest)


@cache
def judge() -> Judge:
    """Return the judge of the package's own library."""
    return Judge()
