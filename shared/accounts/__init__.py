"""People: signing in, sessions, tokens, erasure."""
