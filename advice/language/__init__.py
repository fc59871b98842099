"""A language model in this process: it chooses among the wishes that a grammar allows, and says nothing else."""
