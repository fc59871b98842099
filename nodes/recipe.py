"""What our wires carry: a piece of graph with one output picked, and what its sources were handed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from ..engine.cache import Cache
from ..engine.derived import Derived
from ..engine.plan import Plan
from ..engine.planning import make_plan
from ..engine.render import Job, Settings, companions
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Path, Ref, Step, checked
from ..graph.outputs import full_sizes, gather_sources, upstream
from ..graph.ports import PORTS
from ..light.photo import Codes, Photo
from ..light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, mix
from ..light.rectangle import Region, Size
from ..light.transfer import srgb_decode, srgb_encode
from ..ops.spec import OpSpec
from .merging import merged, readable
from .replay import Tape, followed, tape_of
from .tape import Leaf, bare, is_ours

SOURCE = "luxgrad.load_photo"
_SNAP = 0.05
_EIGHT_BIT = 1e-3
_SAMPLE = 7


@dataclass(frozen=True, eq=False)
class ImagePhoto(Photo):
    """A ComfyUI IMAGE, decoded a rectangle at a time: sRGB codes (B3HW, or B1HW for grey) as linear light."""

    def read(self, region: Region) -> Tensor:
        assert isinstance(self.raster, Tensor)
        codes = region.cut(self.raster).float()
        if not torch.isfinite(codes).all():
            raise WorkflowError("expected finite pixels; got NaN or infinity in an IMAGE")
        return light_of_codes(codes)

    @property
    def pixels(self) -> Tensor:
        return self.read(Region.whole(self.size))


@dataclass(frozen=True, eq=False)
class Taped(Derived, ImagePhoto):
    """What another pack's node made of pictures of ours. was: what it gave; wires: the leaf that each wire brings."""

    tape: Tape | None = None
    was: Tensor | None = None
    wires: Mapping[str, Leaf] = field(default_factory=dict)
    mask: bool = False

    @cached_property
    def believed(self) -> tuple[Photo, frozenset[str]]:
        """The same, if the tape says what the node said, and the wires that carry gradients; else an ordinary photo."""
        assert self.tape is not None
        assert self.was is not None
        found = followed(self.tape, bare(self.was), lambda made: made if self.mask else made[..., :3])
        if found is None or not found[1]:
            return ImagePhoto(self.raster, self.alpha), frozenset()
        tape, reached = found
        kept = {name: leaf for name, leaf in self.wires.items() if leaf in reached}
        return _taped(self, tape, self.was, kept, self.mask), frozenset(kept)


def light_of_codes(codes: Tensor) -> Tensor:
    """sRGB codes (B,C,H,W: grey or RGB; more channels are left out) as linear Rec.2020 light."""
    red, green, blue = (srgb_decode(codes[:, c : c + 1]) for c in ((0, 1, 2) if codes.shape[1] >= 3 else (0, 0, 0)))
    return torch.cat(mix(SRGB_TO_REC2020, red, green, blue), dim=1)


_photos = WeakIdKeyDictionary()


def photo_of_image(image: Tensor) -> Photo:
    """An IMAGE (B,H,W,C: grey, RGB or RGBA, any float type) as a photo; one photo per tensor."""
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4) or not image.is_floating_point() or not image.numel():
        raise WorkflowError(f"expected an IMAGE of shape (B,H,W,3) or (B,H,W,4); got {tuple(image.shape)} of {image.dtype}")
    if image not in _photos:
        codes = image.detach().movedim(-1, 1)
        alpha = codes[:, 3:4].float().clone() if codes.shape[1] == 4 else None
        _photos[image] = ImagePhoto(codes[:, :3], alpha)
    return _photos[image]


def photo_of_mask(mask: Tensor) -> Photo:
    """A MASK (B,H,W or H,W) as the alpha of a photo, which is how a source step hands out masks."""
    if mask.ndim not in (2, 3) or not mask.is_floating_point() or not mask.numel():
        raise WorkflowError(f"expected a MASK of shape (B,H,W); got {tuple(mask.shape)} of {mask.dtype}")
    if mask not in _photos:
        _photos[mask] = _mask_photo(mask.detach().clone())
    return _photos[mask]


def _mask_photo(mask: Tensor) -> Photo:
    plane = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    return Photo(plane.expand(-1, 3, -1, -1), plane)


def in_eight_bits(photo: Photo | None) -> bool:
    """Whether a picture came in 8-bit codes, as far as a sample of its pixels says."""
    raster = photo.raster if photo is not None else None
    if isinstance(raster, Codes):
        return raster.values.dtype == torch.uint8
    if raster is None or not isinstance(photo, ImagePhoto):
        return False
    codes = raster[..., ::_SAMPLE, ::_SAMPLE].float() * 255.0
    return bool(((codes - codes.round()).abs() < _EIGHT_BIT).all())


def codes_of_light(light: Tensor, eight_bits: bool) -> Tensor:
    """Linear Rec.2020 light (B3HW) as the values of an IMAGE (B,H,W,3): sRGB codes, unbounded.

    eight_bits: whether they came in 8-bit codes. Then a value as near to one as steps at rest leave it (1e-5 of light,
    0.03 of a code in the darks) is exactly that code, because ComfyUI's SaveImage truncates.
    """
    codes = torch.cat([srgb_encode(plane) for plane in mix(REC2020_TO_SRGB, *light.split(1, dim=1))], dim=1).float()
    if eight_bits:
        nearest = torch.round(codes * 255.0)
        codes = torch.where((codes * 255.0 - nearest).abs() < _SNAP, nearest / 255.0, codes)
    return codes.movedim(1, -1).contiguous()


@dataclass(frozen=True, eq=False)
class Recipe:
    """A piece of graph, one of its outputs, and what its sources were handed (photos, tables, networks), by step id."""

    graph: Graph
    link: Ref
    handed: Mapping[str, Any]

    @property
    def socket(self) -> str:
        """The socket that the output comes out of."""
        return self.graph.steps[self.link.step].spec.outputs[self.link.slot].socket

    @property
    def mask(self) -> bool:
        """Whether the output is a MASK."""
        return self.socket == "MASK"

    def given(self) -> dict[Any, Any]:
        return gather_sources(readable(self.graph), self.handed, [self.link])

    def plan(self) -> Plan:
        return make_plan(self.graph, [self.link], full_sizes(self.given()))

    @property
    def size(self) -> Size:
        plan = self.plan()
        return plan.size(plan.outputs[0])

    @property
    def batch(self) -> int:
        """How many pictures go through at once. Raises WorkflowError."""
        counts = {photo.batch for photo in self._photos().values()} - {1}
        if len(counts) > 1:
            raise WorkflowError(f"expected batches of the same length; got {' and '.join(map(str, sorted(counts)))} pictures")
        return counts.pop() if counts else 1

    def _photos(self) -> dict[str, Photo]:
        """The photos that the output is made of; what another pack's node made its pictures from lies behind it."""
        found, todo = set[str](), [self.link.step]
        while todo:
            key = todo.pop()
            if key not in found:
                found.add(key)
                todo += [] if key in self.handed else [link.step for link in self.graph.steps[key].links.values()]
        return {key: value for key, value in self.handed.items() if key in found and isinstance(value, Photo)}

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the IMAGE or MASK."""
        if self.mask:
            return (self.batch, *self.size)
        origin = self._origin()
        return (self.batch, *self.size, 4 if origin is not None and origin.alpha is not None else 3)

    def frames(self, made: dict[tuple[Photo, int], Photo] | None = None) -> list[Recipe]:
        """One recipe for each picture of a batch. made: single pictures, shared by recipes that are merged afterwards."""
        if self.batch == 1:
            return [self]
        made = {} if made is None else made
        whole = {key: photo for key, photo in self._photos().items() if photo.batch > 1}
        for photo in whole.values():
            made |= {(photo, index): photo.frame(index) for index in range(self.batch) if (photo, index) not in made}
        frames = ({key: made[photo, index] for key, photo in whole.items()} for index in range(self.batch))
        return [Recipe(self.graph, self.link, {**self.handed, **frame}) for frame in frames]

    def believed(self, moving: bool = True) -> Recipe:
        """The same, without the wires of other packs' nodes that carry no gradient; without any where nothing moves."""
        handed, steps = dict(self.handed), dict(self.graph.steps)
        for key, photo in self.handed.items():
            if isinstance(photo, Taped):
                handed[key], kept = photo.believed if moving else (ImagePhoto(photo.raster, photo.alpha), frozenset())
                links = {name: link for name, link in steps[key].links.items() if name in kept}
                steps[key] = dataclasses.replace(steps[key], links=links)
        graph = dataclasses.replace(self.graph, steps=steps)
        needed = upstream(graph, [self.link])
        graph = dataclasses.replace(graph, steps={key: step for key, step in steps.items() if key in needed})
        return Recipe(graph, self.link, {key: value for key, value in handed.items() if key in needed})

    def _origin(self) -> Photo | None:
        """The photo whose alpha the output carries: that of the first picture of each step, all the way up."""
        step = self.graph.steps[self.link.step]
        while True:
            if getattr(step.spec.reach, "role", None) == "source":
                return self.handed.get(step.id)
            name = next(entry.name for entry in step.spec.inputs if entry.picture)
            step = self.graph.steps[step.links[name].step]

    def job(self, settings: Settings | None = None, scale: float = 1.0, cache: Cache | None = None) -> Job:
        return Job(self.graph, [self.link], self.given(), {}, scale, settings, cache)

    def render(
        self, settings: Settings | None = None, scale: float = 1.0, cache: Cache | None = None, moving: str = ""
    ) -> Tensor:
        """The IMAGE (B,H,W,C) or MASK (B,H,W), on the CPU. moving: the step whose sliders move; what feeds it is kept."""
        job = self.job(settings, scale, cache)
        if moving in self.graph.steps and cache is not None:
            job.keep_before([Path(moving, "")])
        ref, whole, eight_bits = job.plan.outputs[0], list[Tensor](), in_eight_bits(self._origin())

        def put(region: Region, pixels: Tensor) -> None:
            part = pixels[:, 0].float() if self.mask else codes_of_light(pixels, eight_bits)
            if not whole:
                whole.append(torch.empty(len(part), *job.plan.size(ref), *part.shape[3:]))
            rows, columns = region.within(Region.whole(job.plan.size(ref)))
            whole[0][:, rows, columns] = part.cpu()

        job.measured().render(ref, put)
        (codes,) = whole
        if self.mask:
            return codes
        alpha = companions(job).alpha
        if alpha is None:
            return codes
        plane = alpha.movedim(1, -1).to(codes).expand(len(codes), -1, -1, -1)
        return torch.cat([codes, plane], dim=-1)


def source(step_id: str, value: Tensor, mask: bool) -> Recipe:
    """An ordinary IMAGE or MASK as a source step."""
    return source_of(step_id, photo_of_mask(value) if mask else photo_of_image(value), int(mask))


def source_of(step_id: str, photo: Photo, slot: int) -> Recipe:
    """A photo as a source step; slot 1 is its alpha."""
    return Recipe(Graph({step_id: Step(step_id, PORTS[SOURCE])}), Ref(step_id, slot), {step_id: photo})


def foreign(step_id: str, value: Any, mask: bool) -> Recipe | None:
    """What another pack's node made of pictures of ours, as a source step with wires; None where its tape has ended."""
    if not is_ours(value):
        return None
    writes = len(value.value.memory.writes)
    if value.source is None or value.source[0] != writes:
        value.source = writes, _followed(step_id, value, mask)
    return value.source[1]


def _followed(step_id: str, value: Any, mask: bool) -> Recipe | None:
    tape = tape_of(value)
    if tape is None:
        return None
    wires = {f"from_{number}": leaf for number, leaf in enumerate(tape.leaves)}
    graph, handed, links = merged({name: leaf.lazy.recipe for name, leaf in wires.items()})
    plain = source(step_id, bare(value), mask).handed[step_id]
    photo = _taped(plain, tape, bare(value), wires, mask)
    step = Step(step_id, PORTS[SOURCE], links=links)
    graph = Graph({**graph.steps, step_id: step}, made=graph.made)
    return Recipe(graph, Ref(step_id, int(mask)), {**handed, step_id: photo})


def _taped(plain: Photo, tape: Tape, was: Tensor, wires: Mapping[str, Leaf], mask: bool) -> Taped:
    """A photo that a tape makes anew; leaves without a wire stay as they are."""

    def again(pictures: Mapping[str, Tensor]) -> Photo:
        pixels = {leaf: leaf.lazy.pristine().clone() for leaf in tape.leaves if leaf not in wires.values()}
        pixels |= {leaf: _as_wired(pictures[name], leaf.lazy) for name, leaf in wires.items()}
        made = tape.play(pixels).to(next(iter(pictures.values())).device)
        return _mask_photo(made) if mask else Photo(light_of_codes(made.movedim(-1, 1)), plain.alpha)

    return Taped(plain.raster, plain.alpha, again=again, tape=tape, was=was, wires=wires, mask=mask)


def _as_wired(picture: Tensor, lazy: Any) -> Tensor:
    """A rendered picture as another pack's node saw it: an IMAGE (with its alpha as it was) or a MASK, on the CPU."""
    if lazy.recipe.mask:
        return picture[:, 0].cpu().contiguous()
    planes = [srgb_encode(plane) for plane in mix(REC2020_TO_SRGB, *picture.cpu().split(1, dim=1))]
    alpha = [] if lazy.shape[-1] == 3 else [lazy.pristine()[..., 3:].clone().movedim(-1, 1)]
    return torch.cat([*planes, *alpha], dim=1).movedim(1, -1).contiguous()


def title_of(entry: Any) -> str:
    """The title of a node in a prompt; empty where it has none."""
    meta = entry.get("_meta") if isinstance(entry, Mapping) else None
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) else ""


def record(
    spec: OpSpec, step_id: str, title: str, values: Mapping[str, Any], inputs: Mapping[str, Recipe]
) -> tuple[Graph, dict[str, Any]]:
    """A new step after some recipes: its graph and what the sources were handed, without an output picked."""
    graph, handed, links = merged(inputs)
    step = Step(step_id, spec, {}, links, title)
    step = dataclasses.replace(step, values={name: checked(step, name, value) for name, value in values.items()})
    return Graph({**graph.steps, step_id: step}, made=graph.made), handed
