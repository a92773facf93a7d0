"""The YouTube Data API v3, as google-api-python-client asks it."""
