"""What is computed for a day."""
