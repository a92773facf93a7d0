"""The control API under ``/_control/``, by which tests change the server and read its counts."""
