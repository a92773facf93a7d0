"""Google Cloud: documents, topics, deliveries."""
