"""Advice: what to change. An advisor looks at the edited picture and its graph, and gives findings and a patch."""
