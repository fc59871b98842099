"""Inside ComfyUI: node classes made from the declarations. The only room that knows ComfyUI."""
