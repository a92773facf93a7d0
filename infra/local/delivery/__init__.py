"""Delivers Pub/Sub messages to functions, as Eventarc does in the cloud."""
