"""Effects: what lenses, film and prints add."""
