"""The Model Context Protocol (https://modelcontextprotocol.io): tools and resources for language models."""
