"""Training: scripts that make the weights that ship. Never imported by the plugin."""
