"""Whether the passages that a sentence cites say what it says.

Exact checks say what differs (numbers, polarity, populations, names), an entailment model says how far the sentence
follows, and both together give a calibrated probability and a verdict. ``check.py`` tells it step by step.
"""
