"""Graphs: steps and links, their file, their plan, and how they are executed, differentiated and fitted."""
