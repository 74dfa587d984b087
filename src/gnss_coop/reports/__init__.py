"""Pages about what stations see."""
