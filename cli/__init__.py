"""The terminal face: ops, check, run, fit, bake and auto, on the same workflow files as ComfyUI."""
