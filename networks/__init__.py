"""Networks: learned functions as nn.Module, their weights, and how weights are found and checked."""
