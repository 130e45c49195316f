"""Rain and sewage of a place: storms, SWMM models, three variants, sponge measures.

Nothing is imported here: a worker of the sweep starts in this package and must not wait for more than it needs.
"""
