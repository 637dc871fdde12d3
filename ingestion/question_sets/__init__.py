"""Question sets in the file formats that they are published in."""
