"""Infrastructure, the second core system: drainage, streets and services, utilities."""
