"""Colour: white balance, saturation, hues, look-up tables."""
