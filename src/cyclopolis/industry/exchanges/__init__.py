"""Who could give what to whom: matching offers and needs of a plan or of a bare list."""
