"""The videos and playlists that exist: samples, generated ones, and those that tests define."""
