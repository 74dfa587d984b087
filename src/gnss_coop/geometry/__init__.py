"""What stations see: visibility, passes, dilution of precision, and the comparison of scenarios."""
