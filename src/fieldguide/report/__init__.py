"""Pages and plots: what was measured, for a person to read."""
