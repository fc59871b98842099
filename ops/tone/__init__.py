"""Tone: how much light, and how it is spread between black and white."""
