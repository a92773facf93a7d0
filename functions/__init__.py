"""The deployable functions. Each main.py is one; `web` imports others."""
