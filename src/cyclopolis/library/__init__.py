"""What is known beforehand, with its source: commodities, technologies, substitutions, fates, factors, transport."""

from cyclopolis.library.chains import chain_gaps, stray_substitutions
from cyclopolis.library.closing import closure
from cyclopolis.library.merging import FACTOR_TABLES, with_user_rows
from cyclopolis.library.searching import search_library
from cyclopolis.library.sheets import technology_sheet
from cyclopolis.library.tables import Library, load_library

__all__ = [
    "FACTOR_TABLES",
    "Library",
    "chain_gaps",
    "closure",
    "load_library",
    "search_library",
    "stray_substitutions",
    "technology_sheet",
    "with_user_rows",
]
