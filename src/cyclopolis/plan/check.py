"""What one row alone cannot show: rows checked against each other, the years, and the library."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library
from cyclopolis.plan.headers import TextTable
from cyclopolis.plan.model import PlanMeta


def cross_check(
    meta: PlanMeta, texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], library: Library
) -> list[Problem]:
    """Return what is wrong, or worth knowing, between the tables of a plan."""
    return []
