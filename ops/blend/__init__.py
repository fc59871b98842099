"""Blend: a photo and a layer, by the adaptive blend pyramid (Lei et al., CVPR 2022)."""
