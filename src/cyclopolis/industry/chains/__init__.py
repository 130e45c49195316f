"""Circulation systems of a place: which links stand, which are missing, which technology would use what is stranded."""
