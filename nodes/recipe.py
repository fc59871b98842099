"""What our wires carry: a piece of graph with one output picked, and what its sources were handed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from ..graph.cache import Cache
from ..graph.derived import Derived
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Link, Path, Step, checked
from ..graph.plan import Plan, make_plan
from ..graph.ports import PORTS
from ..graph.render import Job, Settings, companions
from ..graph.targets import full_sizes, gather_sources
from ..light.photo import Codes, Photo
from ..light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, mix
from ..light.rectangle import Region, Size
from ..light.transfer import srgb_decode, srgb_encode
from ..ops.spec import OpSpec
from .tape import TapedTensor, bare, leaves, replay

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
    """What another pack's node made of pictures of ours. value: what it gave; ours: the lazy tensors that it read."""

    value: Any = None
    ours: tuple[Any, ...] = ()


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
        plane = mask.detach().reshape(-1, 1, *mask.shape[-2:]).float().clone()
        _photos[mask] = Photo(plane.expand(-1, 3, -1, -1), plane)
    return _photos[mask]


_masks = WeakIdKeyDictionary()


def fitting_mask(mask: Tensor, size: Size) -> Tensor:
    """An ordinary MASK at the size of the picture that it is for, stretched where it differs; one result per mask."""
    if mask.ndim not in (2, 3) or tuple(mask.shape[-2:]) == tuple(size) or not mask.is_floating_point():
        return mask
    if mask not in _masks or tuple(_masks[mask].shape[-2:]) != tuple(size):
        planes = mask.reshape(-1, 1, *mask.shape[-2:]).float()
        _masks[mask] = torch.nn.functional.interpolate(planes, size=tuple(size), mode="bilinear", antialias=True)[:, 0]
    return _masks[mask]


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
    link: Link
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
        return gather_sources(self.graph, self.handed, [self.link])

    def plan(self) -> Plan:
        return make_plan(self.graph, [self.link], full_sizes(self.given()))

    @property
    def size(self) -> Size:
        plan = self.plan()
        return plan.size(plan.outputs[0])

    @property
    def batch(self) -> int:
        """How many pictures go through at once."""
        return max((value.batch for value in self.handed.values() if isinstance(value, Photo)), default=1)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the IMAGE or MASK."""
        if self.mask:
            return (self.batch, *self.size)
        origin = self._origin()
        return (self.batch, *self.size, 4 if origin is not None and origin.alpha is not None else 3)

    def frames(self) -> list[Recipe]:
        """One recipe for each picture of a batch."""
        if self.batch == 1:
            return [self]
        frames = ({key: _frame(value, index) for key, value in self.handed.items()} for index in range(self.batch))
        return [Recipe(self.graph, self.link, handed) for handed in frames]

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


def _frame(value: Any, index: int) -> Any:
    """One picture of a photo that holds a batch; anything else as it is."""
    if not isinstance(value, Photo) or value.batch == 1:
        return value
    assert isinstance(value.raster, Tensor)
    one = slice(index, index + 1)
    alpha = None if value.alpha is None else value.alpha[one]
    if isinstance(value, ImagePhoto):  # a tape of a whole batch ends here
        return ImagePhoto(value.raster[one], alpha)
    return dataclasses.replace(value, raster=value.raster[one], alpha=alpha)


def source(step_id: str, value: Tensor, mask: bool) -> Recipe:
    """An ordinary IMAGE or MASK as a source step."""
    return source_of(step_id, photo_of_mask(value) if mask else photo_of_image(value), int(mask))


def source_of(step_id: str, photo: Photo, slot: int) -> Recipe:
    """A photo as a source step; slot 1 is its alpha."""
    return Recipe(Graph({step_id: Step(step_id, PORTS[SOURCE])}), Link(step_id, slot), {step_id: photo})


def foreign(step_id: str, value: Tensor, mask: bool) -> Recipe | None:
    """What another pack's node made of pictures of ours, as a source step with wires; None where its tape has ended."""
    if isinstance(value, TapedTensor) and value.source is not None:
        return value.source
    ours = leaves(value)
    if not ours:
        return None
    graph, handed, links = merged({f"from_{number}": leaf.recipe for number, leaf in enumerate(ours)})
    plain = source(step_id, bare(value), mask).handed[step_id]

    def again(pictures: Sequence[Tensor]) -> Tensor:
        pixels = [_as_wired(picture, leaf) for picture, leaf in zip(pictures, ours)]
        made = replay(value, dict(zip(map(id, ours), pixels)))
        return made.reshape(-1, 1, *made.shape[-2:]).expand(-1, 3, -1, -1) if mask else light_of_codes(made.movedim(-1, 1))

    photo = Taped(plain.raster, plain.alpha, wires=tuple(links.values()), again=again, value=value, ours=tuple(ours))
    step = Step(step_id, PORTS[SOURCE], links=links)
    graph, handed = Graph({**graph.steps, step_id: step}, tables=graph.tables), {**handed, step_id: photo}
    value.source = Recipe(graph, Link(step_id, int(mask)), handed)  # type: ignore[attr-defined]
    return value.source  # type: ignore[attr-defined]


def _as_wired(picture: Tensor, leaf: Any) -> Tensor:
    """A rendered picture as another pack's node saw it: an IMAGE (with its alpha as it was) or a MASK."""
    if leaf.recipe.mask:
        return picture[:, 0]
    codes = torch.cat([srgb_encode(plane) for plane in mix(REC2020_TO_SRGB, *picture.split(1, dim=1))], dim=1).movedim(1, -1)
    return codes if leaf.shape[-1] == 3 else torch.cat([codes, leaf.rendered()[..., 3:].clone()], dim=-1)


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
    return Graph({**graph.steps, step_id: step}, tables=graph.tables), handed


def merged(inputs: Mapping[str, Recipe]) -> tuple[Graph, dict[str, Any], dict[str, Link]]:
    """Several recipes as one graph: shared steps once; a source of the same name that was handed another photo is renamed."""
    steps: dict[str, Step] = {}
    tables: dict[str, Any] = {}
    handed: dict[str, Any] = {}
    links: dict[str, Link] = {}
    for name, recipe in inputs.items():
        clash = [key for key, value in recipe.handed.items() if handed.get(key, value) is not value]
        clash += [key for key, step in recipe.graph.steps.items() if key not in recipe.handed and steps.get(key, step) != step]
        taken = {*steps, *recipe.graph.steps}
        names = {key: _fresh(key, taken) for key in _with_users(recipe.graph, clash)}
        for key, step in recipe.graph.steps.items():
            moved = {slot: Link(names.get(link.step, link.step), link.slot) for slot, link in step.links.items()}
            new = names.get(key, key)
            steps[new] = dataclasses.replace(step, id=new, links=moved) if names else step
        handed |= {names.get(key, key): value for key, value in recipe.handed.items()}
        tables |= recipe.graph.tables
        links[name] = Link(names.get(recipe.link.step, recipe.link.step), recipe.link.slot)
    return Graph(steps, tables=tables), handed, links


def _with_users(graph: Graph, ids: Iterable[str]) -> set[str]:
    """Some steps and all that come after them."""
    found = set(ids)
    while True:
        more = {step.id for step in graph if step.id not in found and any(link.step in found for link in step.links.values())}
        if not more:
            return found
        found |= more


def _fresh(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    taken.add(f"{name}#{number}")
    return f"{name}#{number}"
