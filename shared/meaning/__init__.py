"""Search by meaning: passages of transcripts, and the model that makes vectors of them."""
