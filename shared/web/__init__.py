"""HTTP: routes, origins, errors."""
