"""Starts the components of a local run, restarts those that end, and stops them in order."""
