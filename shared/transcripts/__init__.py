"""What YouTube answered about each video, stored once for everybody."""
