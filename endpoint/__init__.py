"""A language model behind an OpenAI-compatible endpoint: plugged in by the terminal and Python, left out of the plugin."""
