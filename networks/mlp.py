"""The pointwise network of Neural Photo-Finishing (Tseng et al. 2022): one small perceptron applied to every pixel."""

from __future__ import annotations

from torch import Tensor, nn


class PointwiseMLP(nn.Module):
    """(B, inputs, H, W) -> (B, outputs, H, W), each pixel by itself: inputs -> 128 -> 64 -> outputs.

    SiLU between the layers: smooth, so that gradients with respect to sliders are.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, 128, 1),
            nn.SiLU(),
            nn.Conv2d(128, 64, 1),
            nn.SiLU(),
            nn.Conv2d(64, outputs, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
