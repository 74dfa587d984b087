"""Drawing on maps: ground, projections, panels, labels."""
