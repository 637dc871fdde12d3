"""Texts in which people marked entities, relations or topics, in the formats that they are published in."""
