"""The second core system: drainage, streets and utilities that a place stands on."""
