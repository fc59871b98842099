"""Detail: sharpness and local contrast."""
