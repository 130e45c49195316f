"""Published indicator frameworks as data: one YAML file each, read into frozen, checked objects."""

from cyclopolis.library.frameworks.formula import Formula, Value, parse_formula
from cyclopolis.library.frameworks.loading import load_frameworks, read_framework
from cyclopolis.library.frameworks.model import (
    Case,
    Dimension,
    Framework,
    Group,
    Indicator,
    Level,
    Principles,
    Target,
    Version,
    Weighting,
)

__all__ = [
    "Case",
    "Dimension",
    "Formula",
    "Framework",
    "Group",
    "Indicator",
    "Level",
    "Principles",
    "Target",
    "Value",
    "Version",
    "Weighting",
    "load_frameworks",
    "parse_formula",
    "read_framework",
]
