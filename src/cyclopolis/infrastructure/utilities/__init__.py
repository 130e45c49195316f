"""Utilities: capacities of water, sewage, heat, power and waste treatment against what the place asks of them."""

from cyclopolis.infrastructure.utilities.demand import service_demand
from cyclopolis.infrastructure.utilities.engine import Utilities, serve

__all__ = ["Utilities", "serve", "service_demand"]
