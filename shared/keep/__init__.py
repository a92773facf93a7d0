"""What a person keeps: saved searches and their feeds."""
