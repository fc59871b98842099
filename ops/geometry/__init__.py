"""Geometry: operations that move pixels or change the size."""
