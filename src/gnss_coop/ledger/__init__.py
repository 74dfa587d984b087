"""The statement of mutual gain of two systems, on one page."""
