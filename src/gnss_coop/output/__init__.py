"""Tables and files out; nothing is computed here."""
