"""File formats, one file each: how it is told, checked, decoded and encoded."""
