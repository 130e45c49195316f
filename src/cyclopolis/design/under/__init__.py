"""One design for several scenarios of a plan: what is built is decided once, how it is run in each of them."""

from cyclopolis.design.under.engine import Under, UnderOptions, design_under

__all__ = ["Under", "UnderOptions", "design_under"]
