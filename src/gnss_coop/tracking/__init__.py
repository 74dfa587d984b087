"""What receivers tracked, against what was predicted."""
