"""Requests to YouTube: by which route, how fast, and whether at all."""
