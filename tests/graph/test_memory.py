"""Where memory runs out: smaller tiles, the same results."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from luxgrad import Graph
from luxgrad.engine.backward import saved_per_pixel
from luxgrad.engine.execute import Execution
from luxgrad.engine.memory import Memory
from luxgrad.engine.render import Job
from luxgrad.fit.samples import Samples
from luxgrad.graph.errors import WorkflowError
from luxgrad.light.photo import Photo

from .graphs import TWELVE, chain

LACKS: dict[str, Exception] = {
    "CUDA": torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "Metal": RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    "the CPU": RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried ..."),
    "numpy": MemoryError("Unable to allocate 3 GiB"),
}


@pytest.fixture(scope="module")
def photo() -> Tensor:
    generator = torch.Generator().manual_seed(7)
    small = torch.rand(1, 3, 20, 30, generator=generator, dtype=torch.float64)
    return torch.nn.functional.interpolate(small, size=(150, 210), mode="bicubic").clamp(0.01)


def short(monkeypatch: pytest.MonkeyPatch, most: int, error: Exception) -> list[int]:
    """A machine on which tiles of more than so many px do not fit. Returns the sizes that were tried."""
    tried: list[int] = []
    evaluate = Execution.evaluate

    def cramped(self: Execution, wanted: Any, *rest: Any) -> Any:
        tried.append(max(region.pixels for _, region in wanted))
        if tried[-1] > most:
            raise error
        return evaluate(self, wanted, *rest)

    monkeypatch.setattr(Execution, "evaluate", cramped)
    return tried


def gradient(graph: Any, photo: Tensor, **settings: Any) -> tuple[Tensor, Tensor]:
    sliders = {path: torch.tensor(float(graph.value(graph.path(path))), requires_grad=True) for path in graph.paths()}
    made = graph(photo, sliders, **settings)
    return made.detach(), torch.stack(torch.autograd.grad(made.square().mean(), list(sliders.values()))).double()


@pytest.mark.parametrize("lack", LACKS)
def test_a_lack_of_memory_is_met_with_smaller_tiles_and_the_same_results(
    photo: Tensor, monkeypatch: pytest.MonkeyPatch, lack: str
) -> None:
    graph = Graph.of(TWELVE)
    picture, slopes = gradient(graph, photo)
    tried = short(monkeypatch, 9500, LACKS[lack])
    seen: list[tuple[int, int]] = []
    freed: list[None] = []
    room = Memory(lambda: freed.append(None))
    cramped_picture, cramped_slopes = gradient(graph, photo, memory=room, progress=lambda *counts: seen.append(counts))
    assert max(tried) > 9500
    assert freed
    assert room.most <= 9500
    assert seen[-1][0] == seen[-1][1]
    assert all(done <= total for done, total in seen)
    torch.testing.assert_close(cramped_picture, picture, rtol=0, atol=1e-10)
    torch.testing.assert_close(cramped_slopes, slopes, rtol=1e-6, atol=1e-9)


def test_what_was_learnt_is_kept_for_the_next_rendering(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, freed = chain("tone.exposure"), list[None]()
    room = Memory(lambda: freed.append(None))
    short(monkeypatch, 9000, MemoryError())
    graph(photo, memory=room)
    lacks = len(freed)
    assert lacks == 2
    graph(photo, memory=room)
    assert len(freed) == lacks


def test_a_fit_goes_on_in_smaller_parts(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = chain("tone.exposure", "detail.sharpen")
    target = Photo(graph(photo, {"exposure.stops": 0.7, "sharpen.amount": 0.5}))
    expected = graph.fit(Photo(photo), target, free=["exposure.stops", "sharpen.amount"])
    predict = Samples._predict
    failed: list[int] = []

    def cramped(self: Samples, coordinates: Any, small: Any, chunk: Tensor) -> Tensor:
        if len(chunk) > 100:
            failed.append(len(chunk))
            raise MemoryError
        return predict(self, coordinates, small, chunk)

    monkeypatch.setattr(Samples, "_predict", cramped)
    fitted = graph.fit(Photo(photo), target, free=["exposure.stops", "sharpen.amount"])
    assert 0 < len(failed) < 20
    for path in ("exposure.stops", "sharpen.amount"):
        found, known = (float(entry.graph.value(graph.path(path))) for entry in (fitted, expected))
        assert found == pytest.approx(known, abs=1e-6)


def test_too_little_for_the_smallest_tile_is_one_clear_line(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = short(monkeypatch, 0, MemoryError())
    freed: list[None] = []
    with pytest.raises(WorkflowError, match=r"^out of memory: expected room for \d+ px at once, the smallest part; got less$"):
        chain("tone.exposure")(photo, memory=Memory(lambda: freed.append(None)))
    assert len(freed) == len(tried) < 10


def test_other_errors_are_no_reason_to_try_again(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = short(monkeypatch, 0, RuntimeError("expected scalar type Float but found Half"))
    with pytest.raises(RuntimeError, match="scalar type"):
        chain("tone.exposure")(photo)
    assert len(tried) == 1


class _Noted(TorchFunctionMode):
    """Remembers, without holding it, every tensor with a history that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[weakref.ref[Tensor]] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.grad_fn is not None:
            self.made.append(weakref.ref(result))
        return result


def test_what_is_made_to_count_memory_is_freed() -> None:
    """Steps that keep their own result for the way back, as a curve does, once held it for ever."""
    job = Job.of(chain("tone.curve"), torch.rand(1, 3, 8, 9))
    execution = job.measured()
    with _Noted() as noted:
        assert saved_per_pixel(execution, job.plan.outputs) > 100.0
    gc.collect()
    assert len(noted.made) > 100
    assert not [made for made in noted.made if made() is not None]
