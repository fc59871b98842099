"""The same code on a CUDA device gives the same pictures and gradients as on the CPU (1e-4)."""

from __future__ import annotations

import pytest
import torch

from luxgrad import Graph
from luxgrad.light.photo import Photo
from luxgrad.ops.reach import Reducer
from luxgrad.ops.spec import REGISTRY

from ..graph.graphs import POINTWISE, TWELVE, chain
from ..laws.cases import draw

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
PICTURES = [op for op in sorted(REGISTRY) if REGISTRY[op].makes_picture]
LOSSES = [op for op in sorted(REGISTRY) if op.startswith("loss.") and isinstance(REGISTRY[op].reach, Reducer)]


def results(op: str, device: str) -> list[torch.Tensor]:
    case = draw(REGISTRY[op], 21, height=90, width=120, dtype=torch.float32)
    wanted = [tensor.requires_grad_() for tensor in (*case.sliders.values(), *case.pictures.values())]
    (value,) = case.job(tile=3000, device=device).outputs()
    found = torch.autograd.grad(value.square().sum(), wanted, allow_unused=True)
    return [value.detach().cpu(), *(gradient.cpu() for gradient in found if gradient is not None)]


@pytest.mark.parametrize("op", [*PICTURES, *LOSSES])
def test_an_operation_agrees_with_the_cpu(op: str) -> None:
    for ours, theirs in zip(results(op, "cuda"), results(op, "cpu")):
        assert ((ours - theirs).norm() / theirs.norm().clamp_min(1e-12)).item() < 1e-4


def test_a_graph_with_everything_agrees_with_the_cpu(picture: torch.Tensor) -> None:
    graph, found = Graph.of(TWELVE), {}
    for device in ("cuda", "cpu"):
        values = {p: torch.tensor(float(graph.value(graph.path(p))), requires_grad=True) for p in graph.paths()}
        out = graph(picture, values, device=device)
        out.square().mean().backward()
        found[device] = (out.detach().cpu(), torch.stack([v.grad for v in values.values()]))  # type: ignore[arg-type]
    for ours, theirs in zip(found["cuda"], found["cpu"]):
        assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-4


def test_a_fit_runs_on_the_device() -> None:
    photo = Photo(torch.rand(1, 3, 120, 160, generator=torch.Generator().manual_seed(0)) ** 2)
    for operations in (POINTWISE, ("tone.exposure", "tone.levels", "detail.sharpen")):
        graph = chain(*operations)
        target = graph.with_values({"exposure.stops": 0.4})(photo)
        fitted = graph.fit(photo, target, seconds=30, device="cuda")
        assert fitted.pairs[0].after.psnr > 50.0  # type: ignore[union-attr]
