"""Finds, downloads and starts the servers of a local run."""
