"""What the law of a place calls a thing: product, by-product, waste, hazardous waste, and by which code."""

import polars as pl

from cyclopolis.library import Library

JURISDICTIONS = ("CN", "EU")
HAZARDOUS = "hazardous_waste"


def legal_status(library: Library) -> pl.DataFrame:
    """Return the status of every concept under each law.

    The codes of the library's commodities say it: a Chinese class HW or a European code with a star is hazardous waste,
    any other code general waste, no code a product. Rows of ``legal_status`` take their place; a status that holds only
    on a condition keeps the commodity's code beside it.

    Parameters
    ----------
    library : Library

    Returns
    -------
    polars.DataFrame
        ``concept, jurisdiction, status, code, condition, condition_zh, provenance``.

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> rows = legal_status(load_library()).filter(concept="carbide_slag")
    >>> dict(rows.select("jurisdiction", "status").iter_rows())
    {'CN': 'general_waste', 'EU': 'hazardous_waste'}
    """
    goods = library.commodities.select("commodity", "kind", "sw_code", "ewc_code", "hazard", "disposal_cost")
    waste = pl.col("disposal_cost").is_not_null() & (pl.col("kind") == "material")
    parts = []
    for name, column, mark in (("CN", "sw_code", r"^HW"), ("EU", "ewc_code", r"\*$")):
        code = pl.col(column)
        parts.append(
            goods.select(
                concept="commodity",
                jurisdiction=pl.lit(name),
                status=pl.when(code.str.contains(mark))
                .then(pl.lit(HAZARDOUS))
                .when(code.is_not_null())
                .then(pl.lit("general_waste"))
                .when(waste)
                .then(pl.lit("unknown"))
                .otherwise(pl.lit("product")),
                code=code,
                condition=pl.lit(None, pl.String),
                condition_zh=pl.lit(None, pl.String),
                provenance=pl.lit("memory"),
            )
        )
    base = pl.concat(parts)
    keys = ["concept", "jurisdiction"]
    own = (
        library.legal_status.drop("source")
        .join(base.select(*keys, other="code"), on=keys, how="left", maintain_order="left")
        .with_columns(code=pl.coalesce("code", "other"))
        .select(base.columns)
    )
    return pl.concat([base.join(own, on=keys, how="anti"), own]).sort("concept", "jurisdiction")


def legal_columns(library: Library) -> pl.DataFrame:
    """Return one row per concept: ``concept, status_cn, code_cn, status_eu, code_eu``."""
    rows = legal_status(library)
    wide = rows.select("concept").unique()
    for name in JURISDICTIONS:
        tail = name.lower()
        one = rows.filter(pl.col("jurisdiction") == name)
        wide = wide.join(
            one.select("concept", pl.col("status").alias(f"status_{tail}"), pl.col("code").alias(f"code_{tail}")),
            on="concept",
            how="left",
        )
    return wide.sort("concept")
