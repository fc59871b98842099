"""Measure: whole pictures reduced to a few numbers that other operations read."""
