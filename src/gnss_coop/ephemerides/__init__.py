"""Broadcast ephemerides: records, messages, plausibility checks, and the set of them."""
