"""Positions, visibility, dilution of precision, comparison: array in, array out."""
