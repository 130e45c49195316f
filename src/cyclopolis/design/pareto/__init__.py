"""The whole trade-off between economy, environment and society of a plan, as an engine."""

from cyclopolis.design.pareto.engine import Pareto, ParetoOptions, pareto

__all__ = ["Pareto", "ParetoOptions", "pareto"]
