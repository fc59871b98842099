"""Local: masks, and any part of a graph applied through one."""
