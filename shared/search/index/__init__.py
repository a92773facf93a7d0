"""Writing the search index."""
