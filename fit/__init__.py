"""Fit: free sliders, searches, and what became of them."""
