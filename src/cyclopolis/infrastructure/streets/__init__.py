"""Streets, blocks and services: how fine the grid is, what lies on it, who reaches what on foot."""

from cyclopolis.infrastructure.streets.engine import Streets, StreetsOptions, streets

__all__ = ["Streets", "StreetsOptions", "streets"]
