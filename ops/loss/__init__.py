"""Loss: numbers that a fit makes small."""
