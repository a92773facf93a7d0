"""A library as files: notes, subtitles and JSON Lines of every video that a search finds."""
