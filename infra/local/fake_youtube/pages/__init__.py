"""What only a browser asks for: thumbnails and the embedded player."""
