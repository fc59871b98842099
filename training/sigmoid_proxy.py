"""Train the proxy of our own sigmoid: a network whose truth is known, so that its error can be stated.

    python -m luxgrad.training.sigmoid_proxy [--steps 40000] [--seed 0] [--out FOLDER]

About five minutes on two CPU cores. Colours are drawn at random, no photographs are needed. Progress is kept beside the
weights, and a stopped training goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..light.planes import planes
from ..light.transfer import MIDDLE_GREY
from ..networks.mlp import PointwiseMLP
from ..networks.weights import FOLDER
from ..ops.proxy.sigmoid import CODE_POWER, EV_RANGE, features
from ..ops.tone.sigmoid import sigmoid
from .shipping import ship

CONFIG: dict[str, Any] = {
    "inputs": 6,
    "outputs": 3,
    "batch": 8192,
    "rate": 4e-3,
    "contrast": [0.8, 3.0],
    "skew": [-1.0, 1.0],
    "grey_ev": [-2.0, 2.0],
    "light_ev": list(EV_RANGE),
    "channel_spread_ev": 2.0,
}

ABOUT: dict[str, Any] = {
    "architecture": "PointwiseMLP",
    "arguments": {"inputs": CONFIG["inputs"], "outputs": CONFIG["outputs"]},
}


def draw(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random light and sliders: network input (count, 6, 1, 1) and the codes (count, 3, 1, 1) it should give."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    middle = uniform(EV_RANGE[0], EV_RANGE[1], count, 1, 1, 1)
    stops = middle + CONFIG["channel_spread_ev"] * torch.randn(count, 3, 1, 1, generator=generator)
    light = MIDDLE_GREY * 2.0 ** stops.clamp(*EV_RANGE)
    contrast = torch.exp2(uniform(math.log2(CONFIG["contrast"][0]), math.log2(CONFIG["contrast"][1]), count, 1, 1, 1))
    skew, grey = uniform(*CONFIG["skew"], count, 1, 1, 1), uniform(*CONFIG["grey_ev"], count, 1, 1, 1)
    target = sigmoid(light, contrast, skew, grey)
    assert isinstance(target, Tensor)
    return features(*planes(light), contrast, skew, grey), target.clamp_min(0.0) ** (1.0 / CODE_POWER)


def train(steps: int, seed: int, out: Path) -> None:
    """Train, then write the weights and their manifest."""
    torch.manual_seed(seed)
    network, generator = PointwiseMLP(CONFIG["inputs"], CONFIG["outputs"]), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=CONFIG["rate"])
    kept, first, start = out / "sigmoid_proxy.progress.safetensors", 0, time.perf_counter()
    if kept.exists():
        state = load_file(kept)
        first = int(state.pop("step"))
        network.load_state_dict(state)
    for step in range(first, steps):
        for group in optimiser.param_groups:
            group["lr"] = CONFIG["rate"] * min(1.0, (step - first + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        seen, wanted = draw(CONFIG["batch"], generator)
        error = network(seen) - wanted
        loss = error.square().mean() + 0.01 * error.abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % 1000 == 0:
            psnr = -10.0 * math.log10(error.detach().square().mean().item())
            print(f"step {step + 1}: {psnr:.1f} dB, {time.perf_counter() - start:.0f} s", flush=True)
            save_file({**network.state_dict(), "step": torch.tensor(step + 1)}, kept)
    _write(network, steps, seed, out)
    kept.unlink(missing_ok=True)


def _write(network: PointwiseMLP, steps: int, seed: int, out: Path) -> None:
    with torch.no_grad():
        seen, wanted = draw(1 << 20, torch.Generator().manual_seed(seed + 1))
        error = network(seen) - wanted
    metrics = {
        "held_out_samples": 1 << 20,
        "psnr_db": round(-10.0 * math.log10(error.square().mean().item()), 2),
        "largest_error": round(error.abs().max().item(), 5),
    }
    ship(
        network,
        "sigmoid_proxy",
        ABOUT,
        out,
        imitates="tone.sigmoid",
        config={**CONFIG, "steps": steps, "seed": seed, "optimiser": "Adam, cosine", "loss": "L2 + 0.01 L1 of codes"},
        data="random colours, none from photographs",
        metrics=metrics,
        script="training/sigmoid_proxy.py",
    )
    print(json.dumps(metrics))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    train(options.steps, options.seed, options.out)


if __name__ == "__main__":
    main()
