"""Graphs: steps and wires, their files, and the patches that edit them."""
