"""One video's way: a step a file."""
