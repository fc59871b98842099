"""Sources, sinks, views, advice and the fit: declared like operations, once; ComfyUI, the host and the terminal project them.

They touch no disk: a source is handed `read`, a sink `write`.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple

from ..light.photo import Photo
from ..ops.params import Choice, Count, File, Switch, Text
from ..ops.reach import Port
from ..ops.spec import REGISTRY, OpSpec, declare
from ..ops.types import Image, Loss, Lut, Mask, Network, Number, Reader, Report, Whole, Writer
from .errors import WorkflowError, nearest

DEVELOPING = ("develop", "white_balance", "kelvin", "tint", "highlights", "demosaic", "denoise", "noise_threshold")
"""The parameters of Load Photo that say how a camera raw file is developed."""


def load_photo(
    read: Reader,
    file: Annotated[str, File("photo")] = "",
    light: Annotated[str, Choice("auto", "display", "scene")] = "auto",
    develop: Annotated[str, Choice("full", "half", "embedded preview")] = "full",
    white_balance: Annotated[str, Choice("as shot", "kelvin", "auto", "daylight")] = "as shot",
    kelvin: Annotated[int, Count(2000, 15000, unit="K")] = 5500,
    tint: Annotated[int, Count(-150, 150)] = 0,
    highlights: Annotated[str, Choice("neutral", "reconstruct", "clip")] = "neutral",
    demosaic: Annotated[str, Choice("auto", "linear", "VNG", "PPG", "AHD", "DCB", "DHT", "AAHD")] = "auto",
    denoise: Annotated[str, Choice("off", "light", "full")] = "off",
    noise_threshold: Annotated[int, Count(0, 2000)] = 0,
) -> tuple[Image, Mask]:
    """Open a photo at its full depth, by its colour profile and orientation; camera raw is developed to scene light.

    file: name of the photo, in the workflow's folder or an allowed one.
    light: display for pictures already rendered, scene for raw light; auto decides by the file (raw and float are scene).
    develop: RAW. Full size; half size, fast, one pixel per four of the sensor; or the JPEG inside (of Ultra HDR: plain).
    white_balance: RAW only. As the camera set it, by kelvin and tint, auto (the mean of what is not clipped), or daylight.
    kelvin: RAW only, for white balance kelvin. Colour temperature of the light on the scene; more gives a warmer picture.
    tint: RAW only, for white balance kelvin. Above 0 makes the picture more magenta, below 0 greener.
    highlights: RAW only. Clipped areas become neutral, take the colour around them (reconstruct), or stop at white (clip).
    demosaic: RAW only. How colours are interpolated; auto is AHD, on X-Trans Markesteijn with three passes (PPG: with one).
    denoise: RAW only, Bayer sensors. FBDD before demosaicing: light removes impulse noise, full chroma noise too.
    noise_threshold: RAW only. Noise to remove before demosaicing, 1/65536 of white after a square root; 100 to 1000 is usual.

    Gives the photo and its alpha, 1 where it is opaque.
    """
    options = (develop, white_balance, kelvin, tint, highlights, demosaic, denoise, noise_threshold)
    photo: Photo = read("photo", file, **dict(zip(DEVELOPING, options)))
    if light != "auto":
        photo = dataclasses.replace(photo, light=light)  # type: ignore[arg-type]
    return photo, Photo(photo.opacity())  # type: ignore[return-value]


def load_image(read: Reader, image: Annotated[str, File("8-bit image")] = "") -> tuple[Image, Mask]:
    """ComfyUI's own LoadImage, as it works there: 8 bits, without colour profile.

    image: name of the picture.

    Gives the picture and 1 minus its alpha.
    """
    photo: Photo = read("8-bit image", image)
    return photo, Photo(1.0 - photo.opacity())  # type: ignore[return-value]


def load_lut(read: Reader, file: Annotated[str, File("LUT")] = "") -> Lut:
    """Open a look-up table (.cube).

    file: name of the table, in the workflow's folder or an allowed one.
    """
    return read("LUT", file)


def load_network(read: Reader, name: Annotated[str, File("network")] = "sigmoid_proxy") -> Network:
    """Open the weights of a network, checked against their manifest.

    name: name of the weights.
    """
    return read("network", name)


def save_photo(
    write: Writer,
    image: Image,
    file: Annotated[str, File("photo")] = "luxgrad.tif",
    depth: Annotated[str, Choice("auto", "8", "10", "12", "16", "half", "float", "hdr")] = "auto",
    quality: Annotated[int, Count(1, 100)] = 95,
    dither: Annotated[bool, Switch()] = True,
    colour_space: Annotated[str, Choice("sRGB", "Display P3", "Rec.2020", "Adobe RGB")] = "sRGB",
    metadata: Annotated[str, Choice("keep", "without location", "none")] = "keep",
    size: Annotated[int, Count(0, 30000, unit="px")] = 0,
    sharpen: Annotated[str, Choice("none", "screen", "print")] = "none",
    workflow: Annotated[bool, Switch()] = True,
) -> None:
    """Write a photo with its profile and metadata, rounded, never truncated.

    image: the photo to write.
    file: name of the file; its ending chooses the format. {name}, {date}, {time}, {camera}, {lens}, {iso} and the like
        stand for what the photo says, {counter:04} for the next free number.
    depth: bits per channel, where the format has them; auto writes 16 bits where it can, else 8. half and float are linear
        light; hdr is a JPEG with a gain map (Ultra HDR).
    quality: of a lossy format.
    dither: add noise below half a level before rounding to 8 bits, so that smooth skies do not band.
    colour_space: of the file, with its profile; colours outside are moved in at constant hue.
    metadata: EXIF and XMP as the photo brought them; without location also drops maker notes, which may hold it; none
        leaves out all, the workflow too.
    size: longest edge of the file; 0 keeps the size. Never enlarges.
    sharpen: output sharpening after the resize: screen is fine and light, print stronger.
    workflow: put the workflow into the file, so that ComfyUI, luxgrad check and luxgrad run can open the picture.

    Sharpening is detail.sharpen on the finished pixels: amount 0.5, radius 0.6 px, threshold 0.01 EV for the screen; 1, 1 px,
    0.02 EV for print.
    """
    write("photo", file, image, depth=depth, quality=quality, dither=dither, colour_space=colour_space, metadata=metadata,
          size=size, sharpen=sharpen, workflow=workflow)  # fmt: skip


def save_image(write: Writer, images: Image, filename_prefix: Annotated[str, Text()] = "ComfyUI") -> None:
    """ComfyUI's own SaveImage, as it works there: 8-bit PNG, truncated, without profile.

    images: the picture to write.
    filename_prefix: how the name of the file begins.
    """
    write("8-bit image", filename_prefix, images)


def preview_image(write: Writer, images: Image) -> None:
    """ComfyUI's own PreviewImage: a picture to look at.

    images: the picture to show.
    """
    write("8-bit image", "preview", images)


def compare(photo: Image, before: Image) -> Report:
    """Show two photos in one frame with a movable edge, and say how far they are apart.

    photo: the photo, right of the edge.
    before: what to compare it with, left of the edge.
    """
    raise WorkflowError("a comparison is not run as a step; ask for a picture")


class Diagnosis(NamedTuple):
    """What Diagnose gives."""

    photo: Image
    patch: Report
    reasoning: Report
    evidence: Mask
    conversation: Report


def diagnose(
    photo: Image,
    words: Report | None = None,
    advisor: Annotated[str, Text(longest=64)] = "auto",
    say: Annotated[str, Text(multiline=True, longest=4000)] = "",
    conversation: Annotated[str, Text(multiline=True, longest=1_000_000)] = "",
) -> Diagnosis:
    """Ask an advisor about a photo: what it finds and why, the edits of this workflow that would mend it, and how that looks.

    photo: the photo at the end of the steps to judge; the edited picture is looked at, and the sliders before it are moved.
    words: a sentence from another node, said after what `say` says.
    advisor: who is asked. auto goes by what it sees; style follows a sentence; parameter a table of wishes in slider words.
    say: the sentence (a bit warmer, the sky less cyan), or the table (exposure +0.5, one a line). Auto needs none.
    conversation: earlier turns, as data. The editor keeps it; Apply adds a turn.

    Gives the photo as the patch would make it, the patch (edits of the workflow, each with its reason) and the reasoning in
    words as text, where something was found as a mask, and the conversation with this turn. Looking changes nothing: the
    workflow stays as it is until the patch is applied.
    """
    raise WorkflowError("a diagnosis is not run as a step; ask for it")


class Counsel(NamedTuple):
    """What Advice gives."""

    report: Report
    patch: Report
    conversation: Report


def advice(
    photo: Image,
    words: Report | None = None,
    advisor: Annotated[str, Text(longest=64)] = "auto",
    say: Annotated[str, Text(multiline=True, longest=4000)] = "",
    conversation: Annotated[str, Text(multiline=True, longest=1_000_000)] = "",
) -> Counsel:
    """Ask an advisor about a photo, from before the answer could be seen as a photo. Use Diagnose.

    photo: the photo at the end of the steps to judge; the edited picture is looked at, and the sliders before it are moved.
    words: a sentence from another node, said after what `say` says.
    advisor: who is asked.
    say: what to tell the advisor, in words. Auto goes by what it sees.
    conversation: earlier turns, as data. The editor keeps it; Apply adds a turn.

    Gives the report in words, the patch (edits of the workflow, each with its reason) and the conversation with this turn,
    all as text. Nothing is changed until the patch is applied.
    """
    raise WorkflowError("advice is not run as a step; ask for it")


def auto(photo: Image) -> Report:
    """The advisor auto, from before there were others. Use Diagnose.

    photo: the photo at the end of the steps to judge.

    Gives a patch: edits of the workflow, as text.
    """
    raise WorkflowError("advice is not run as a step; ask for it")


class PhotoFacts(NamedTuple):
    """What Photo Info gives."""

    shutter: Number
    aperture: Number
    iso: Whole
    focal_length: Number
    camera: Report
    lens: Report
    date: Report
    width: Whole
    height: Whole
    file: Report
    text: Report


def photo_info(photo: Image) -> PhotoFacts:
    """What the camera wrote into a photo, as numbers and words to wire.

    photo: the photo, anywhere on its way; the size is the one it has here.

    Gives the shutter time in seconds, the f-number, the ISO speed, the focal length in mm, camera, lens and date
    (YYYY-MM-DD HH:MM:SS), width and height in px, the name of the file, and all of it as text. What the photo does not say
    is 0 or empty.
    """
    raise WorkflowError("photo info is not run as a step; ask luxgrad info")


def contact_sheet(
    photos: Image,
    columns: Annotated[int, Count(0, 100)] = 0,
    cell: Annotated[int, Count(32, 4096, unit="px")] = 480,
    gap: Annotated[int, Count(0, 400, unit="px")] = 24,
    background: Annotated[float, Count(0, 100, unit="%", step=0.1)] = 13.0,
    captions: Annotated[str, Choice("file name", "number", "none")] = "file name",
) -> Image:
    """Many photos on one picture, each in a cell of its own with a caption under it.

    photos: a list of photos, a batch, or both.
    columns: photos in a row; 0 makes the sheet about three wide and two high.
    cell: longest edge of each photo on the sheet.
    gap: between the cells and around them.
    background: lightness of the paper, from black to white.
    captions: what stands under each photo.

    Smaller photos stay as they are. Scene light is rendered by tone.sigmoid at its defaults.
    """
    raise WorkflowError("a contact sheet is made in ComfyUI, or by luxgrad sheet")


METHODS = ("auto", "lm", "adam", "cmaes")


def fit(
    photo: Image,
    target: Image | None = None,
    loss: Loss | None = None,
    free: Annotated[str, Text(multiline=True)] = "",
    method: Annotated[str, Choice(*METHODS)] = "auto",
    seconds: Annotated[float, Count(0.1, 86400, unit="s", step=0.1)] = 20.0,
    seed: Annotated[int, Count(0, 2**31 - 1)] = 0,
    action: Annotated[str, Choice("keep", "fit")] = "keep",
) -> tuple[Image, Report]:
    """Let gradients move the sliders so that a photo comes out like a target, or a loss falls.

    photo: the photo as the sliders make it.
    target: what it should look like, the same scene at the same size.
    loss: what to make small instead, from a loss operation.
    free: what may move, one line each: PATTERN [in LOW..HIGH] [per photo], a.stops = b.stops, STEP.table, STEP.weights; empty
        is all sliders.
    method: lm (least squares), adam (any loss) or cmaes (the baseline without gradients); auto chooses.
    seconds: time allowed.
    seed: of the pixels sampled and the restarts.
    action: set to fit by the button while it fits; running a workflow never fits.

    The photo passes through unchanged.
    """
    raise WorkflowError("a fit is not run as a step; ask for it")


def _port(function: Any, role: str, node_id: str | None = None) -> OpSpec:
    return declare(function, Port(role), function.__name__, node_id=node_id)


PORTS: dict[str, OpSpec] = {
    spec.node_id: spec
    for spec in (
        _port(load_photo, "source"),
        _port(load_lut, "source"),
        _port(load_network, "source"),
        _port(load_image, "source", "LoadImage"),
        _port(save_photo, "sink"),
        _port(save_image, "sink", "SaveImage"),
        _port(preview_image, "view", "PreviewImage"),
        _port(compare, "view"),
        _port(photo_info, "view"),
        _port(contact_sheet, "sheet"),
        _port(diagnose, "advice"),
        _port(advice, "advice"),
        _port(auto, "advice"),
        _port(fit, "fit"),
    )
}
"""Node id -> spec of every source, sink, view, advice and the fit."""


def find_spec(node_id: str) -> OpSpec:
    """The spec behind a node id of a workflow file; WorkflowError names the nearest ids."""
    spec = PORTS.get(node_id) or REGISTRY.get(node_id.removeprefix("luxgrad."))
    if spec is None or spec.node_id != node_id:
        known = [*PORTS, *(entry.node_id for entry in REGISTRY.values())]
        raise WorkflowError(f"unknown node {node_id[:80]!r} {nearest(node_id[:80], known)}")
    return spec
