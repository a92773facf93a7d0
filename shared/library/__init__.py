"""Which playlists and videos belong to a user."""
