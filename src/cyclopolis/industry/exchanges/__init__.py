"""Exchanges between enterprises: who fits whom, networks with quality, heat, fairness and failure."""
