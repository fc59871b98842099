"""Advice: what to change. Reads measurements, emits patches."""
