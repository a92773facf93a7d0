"""What a user allowed us to read at Google, and Google's authorization server."""
