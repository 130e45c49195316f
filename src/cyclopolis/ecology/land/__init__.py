"""Land: what lies on protected ground, what is left to build on, how uses change, which zones suit."""

from cyclopolis.ecology.land.engine import Land, LandOptions, land

__all__ = ["Land", "LandOptions", "land"]
