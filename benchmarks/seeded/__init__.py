"""Sentences of real passages with errors seeded into them, and faithful rewordings that must raise no alarm."""
