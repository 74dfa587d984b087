"""Plausibility checks: what counts as a good record, alone and against others."""
