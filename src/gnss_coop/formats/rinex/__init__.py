"""RINEX files: navigation, observation, and Hatanaka compression."""
