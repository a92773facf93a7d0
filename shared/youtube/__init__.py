"""YouTube's two faces: the Data API, and captions."""
