"""Time and memory of local retouching at 4096 x 4096 px, beside a plain copy and the network on the whole picture at once."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import torch

from ..networks.weights_file import weights_bytes
from ..ops.types import Network
from .speed import REPEATS, child

EDGE = 4096

_READY = """
import torch
from luxgrad.api import Graph
from luxgrad.light.photo import Photo
from luxgrad.networks.weights import load_network
from luxgrad.training.abpn.forward import forward
from pathlib import Path
torch.set_grad_enabled(False)
path, edge = Path(sys.argv[1]), int(sys.argv[2])
network = load_network(path.stem, [path.parent])
generator = torch.Generator().manual_seed(0)
small = torch.rand(1, 3, edge // 16, edge // 16, generator=generator)
picture = torch.nn.functional.interpolate(small, (edge, edge), mode="nearest")
"""
_IDLE = (
    _READY
    + """
result = picture.clone()
seconds = 0.0
"""
)
_COPY = (
    _READY
    + """
picture.clone()
start = time.perf_counter()
result = picture.clone()
seconds = time.perf_counter() - start
"""
)
_TILED = (
    _READY
    + """
graph = Graph.of({
    "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
    "network": {"class_type": "luxgrad.load_network", "inputs": {}},
    "retouch": {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], "network": ["network", 0]}},
    "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["retouch", 0]}},
})
start = time.perf_counter()
result = graph({"photo": Photo(picture), "network": network})
seconds = time.perf_counter() - start
assert result.size == (edge, edge)
"""
)
_WHOLE = (
    _READY
    + """
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.ops.local.local_retouch import levels_for
from luxgrad.light.rectangle import Size
module = BlendPyramid(**network.about["arguments"])
module.load_state_dict({**network.constants, **network.weights})
module.train(False)
start = time.perf_counter()
result = forward(module, picture, levels_for(Size(edge, edge))).retouched
seconds = time.perf_counter() - start
"""
)


def speed(network: Network, edge: int = EDGE) -> list[str]:
    """The table; each way in fresh processes."""
    assert network.about is not None
    lines = [
        f"## Time and memory at {edge} x {edge} px",
        "",
        "Peak memory beyond a process that holds the network, the source and a picture as large as the result. The network on",
        "the whole at once is training's, codes in and codes out.",
        "",
        "| | seconds | ratio to the copy | ratio to the whole at once | peak MB beyond | in float pictures |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "judged.safetensors"
        path.write_bytes(weights_bytes({**network.constants, **network.weights}, network.about, torch.float32))
        ways = {"a plain copy": _COPY, "the network on the whole at once": _WHOLE, "local_retouch, in tiles": _TILED}
        idle = child(_IDLE, path, edge)["peak"]
        found = {}
        for name, code in ways.items():
            entries = [child(code, path, edge) for _ in range(REPEATS)]
            found[name] = statistics.median(entry["seconds"] for entry in entries), max(entry["peak"] for entry in entries)
    copy, whole = (seconds for seconds, _ in list(found.values())[:2])
    for name, (seconds, peak) in found.items():
        beyond = max(0.0, peak - idle)
        cells = [f"{seconds:.2f}", f"{seconds / copy:.0f}", f"{seconds / whole:.2f}", f"{beyond:.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {beyond / (edge * edge * 12 / 2**20):.1f} |")
    lines.append("")
    print("\n".join(lines), flush=True)
    return lines
