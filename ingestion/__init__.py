"""The way from a file to searchable passages."""
