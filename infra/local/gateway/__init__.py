"""Serves the one origin of a local run: the frontend at `/`, the functions under `/api/`."""
