"""Judging a place by published frameworks, before and after the design."""

from cyclopolis.rating.rating import Rating, rate

__all__ = ["Rating", "rate"]
