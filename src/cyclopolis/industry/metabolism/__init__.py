"""Industrial metabolism: what flows through the plants of a place, and what it adds up to."""
