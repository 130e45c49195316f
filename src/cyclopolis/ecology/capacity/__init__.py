"""Carrying capacity: how much load waters, air, land and quotas carry, and how much of it is used."""

from cyclopolis.ecology.capacity.engine import Capacity, capacities, capacity, limits_of

__all__ = ["Capacity", "capacities", "capacity", "limits_of"]
