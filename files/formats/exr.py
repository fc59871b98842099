"""OpenEXR: half and float scene light, RGB or luminance, scanlines or tiles, one part or several.

The picture is the display window: what the data window has beyond it is left out, and where it has nothing the picture is
black and transparent. Colour is multiplied by alpha in the file and divided by it here; where alpha is 0 it stays.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError
from ..extras import openexr
from ..limits import check_header
from .exr_attributes import attributes_of, exif_of
from .exr_header import HALF, MAGIC, Part, extent, read_parts
from .format import Beside, Decoded, Encoding, Format, Header, Saving, unpremultiplied

_MOST_SAMPLES = 2_400_000_000
_XMP = "xmp"


def header(path: Path) -> Header:
    """The first part that has colour or luminance."""
    parts = read_parts(path)
    part, names = _photo_part(parts)
    width, height = extent(part.display)
    bits = 16 if _all_half(part, names) else 32
    check_header(Header(*extent(part.data), len(names), bits))
    if (samples := sum(part.samples() for part in parts)) > _MOST_SAMPLES:
        raise FileError(f"expected at most {_MOST_SAMPLES} samples in all parts and channels; got {samples}")
    return Header(width, height, len(names), bits, len(parts), f"OpenEXR, {'half' if bits == 16 else 'float'}")


def _photo_part(parts: list[Part]) -> tuple[Part, list[str]]:
    """A part and the names of its channels: R, G, B or Y, and A where there is one; of the first layer that has them."""
    for part in parts:
        layers = dict.fromkeys(["", *(name[: name.rfind(".") + 1] for channel in part.channels for name in [channel.name])])
        for layer in layers if not part.deep else ():
            if names := _channel_names({channel.name for channel in part.channels}, layer):
                _check(part, names)
                return part, names
    found = ", ".join(channel.name for part in parts for channel in part.channels)[:80]
    raise FileError(f"expected OpenEXR with channels R, G, B or Y; got {'deep ' if parts[0].deep else ''}{found or 'none'}")


def _channel_names(there: set[str], layer: str) -> list[str]:
    if {layer + "RY", layer + "BY"} & there:
        raise FileError("expected R, G and B; got luminance with chroma at half size (convert it to RGB first)")
    names = [layer + name for name in "RGB"]
    names = names if set(names) <= there else [layer + "Y"] if layer + "Y" in there else []
    return [*names, layer + "A"] if names and layer + "A" in there else names


def _check(part: Part, names: list[str]) -> None:
    for channel in part.channels:
        if channel.name in names and (channel.kind not in (1, 2) or channel.steps != (1, 1)):
            raise FileError(f"expected half or float at full size; got channel {channel.name} of another kind")
    left, top, right, bottom = part.data
    if left > part.display[2] or right < part.display[0] or top > part.display[3] or bottom < part.display[1]:
        raise FileError(f"expected data within the display window; got {part.data} beside {part.display}")


def _all_half(part: Part, names: list[str]) -> bool:
    return all(channel.kind == HALF for channel in part.channels if channel.name in names)


def decode(path: Path) -> Decoded:
    """The first part that has colour or luminance."""
    part, names = _photo_part(read_parts(path))
    with openexr("OpenEXR").File(str(path), separate_channels=True) as file:
        channels = file.channels(part.index)
        planes = np.stack([channels[name].pixels for name in names], axis=-1)
    values = _in_display(planes, part)
    colours = 3 if len(names) > 2 else 1
    alpha = values[..., colours] if len(names) > colours else _coverage(part)
    values = values[..., :colours]
    if len(names) > colours:
        assert alpha is not None
        values = unpremultiplied(values.astype(np.float32), alpha.astype(np.float32))
    corners, attributes = part.attributes.get("chromaticities"), part.attributes
    encoding = Encoding("linear", _points(corners) if corners else "srgb")
    facts = {"WhiteLuminance": light} if (light := attributes.get("whiteLuminance")) else {}
    xmp = attributes.get(_XMP)
    packet = xmp.encode() if isinstance(xmp, str) else None
    return Decoded(values, alpha, None, encoding, exif_of(attributes), packet, light="scene", facts=facts)


def _points(corners: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    """Chromaticities, without the rounding to 32 bits that would make sRGB's another space."""
    return tuple((round(x, 6), round(y, 6)) for x, y in zip(corners[::2], corners[1::2]))


def _in_display(planes: np.ndarray, part: Part) -> np.ndarray:
    if part.data == part.display:
        return planes
    width, height = extent(part.display)
    picture = np.zeros((height, width, planes.shape[2]), planes.dtype)
    inside, taken = _overlap(part)
    picture[inside] = planes[taken]
    return picture


def _overlap(part: Part) -> tuple[Any, Any]:
    """Rows and columns of the display window, and the same of the data window."""
    left, top = max(part.data[0], part.display[0]), max(part.data[1], part.display[1])
    right, bottom = min(part.data[2], part.display[2]) + 1, min(part.data[3], part.display[3]) + 1

    def within(window: tuple[int, ...]) -> tuple[slice, slice]:
        return slice(top - window[1], bottom - window[1]), slice(left - window[0], right - window[0])

    return within(part.display), within(part.data)


def _coverage(part: Part) -> np.ndarray | None:
    """Alpha of a part that has none: 1 where it has data; None where it has data everywhere."""
    width, height = extent(part.display)
    alpha = np.zeros((height, width), np.float32)
    alpha[_overlap(part)[0]] = 1.0
    return None if alpha.all() else alpha


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """Scanlines compressed by ZIP, with the space's chromaticities; of EXIF what the standard attributes can say."""
    library = openexr("OpenEXR")
    attributes: dict[str, Any] = {
        **beside.texts,
        **attributes_of(beside.exif),
        "compression": library.ZIP_COMPRESSION,
        "type": library.scanlineimage,
        "chromaticities": _corners_of(beside.encoding),
        "software": "Luxgrad",
    }
    if beside.xmp:
        attributes[_XMP] = beside.xmp.decode("utf-8", "replace")
    if codes.shape[2] == 4:
        codes = np.dstack([codes[..., :3] * codes[..., 3:], codes[..., 3]])
    channels = {"RGBA" if codes.shape[2] == 4 else "RGB": np.ascontiguousarray(codes)}
    with library.File(attributes, channels) as file:
        file.write(str(path))


def _corners_of(encoding: Encoding) -> tuple[float, ...]:
    from ...light.primaries import PRIMARIES

    points = PRIMARIES[encoding.primaries] if isinstance(encoding.primaries, str) else encoding.primaries
    if encoding.transfer != "linear" or len(points) != 4:
        raise FileError("expected linear light of named or measured primaries for OpenEXR")
    return tuple(float(number) for point in points for number in point)


OPENEXR = Format(
    "OpenEXR",
    (".exr",),
    lambda start, _: start[:4] == MAGIC,
    header,
    decode,
    apart=True,
    depths=("half", "float"),
    encode=encode,
    alpha=True,
)
