"""Which files belong to which day."""
