"""Orbits that hold for weeks: mean elements, almanacs, nominal constellations."""
