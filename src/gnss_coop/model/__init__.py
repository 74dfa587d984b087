"""The nouns of the field: systems, times, frames, ephemerides, stations, scenarios."""
