"""Ecological security, the third core system: red lines and suitability of land, waters, air, carrying capacity."""
