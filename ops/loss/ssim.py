import math

from torch import Tensor
from torch.nn.functional import pad

from ...light.planes import planes
from ...light.primaries import luminance
from ...light.rectangle import Size
from ...light.transfer import srgb_encode
from ..frame import Frame
from ..reach import reducer
from ..spec import operation
from ..types import Image, Loss, in_type_of
from .per_pixel import added, mean

_MARGIN, _DEVIATION = 5, 1.5
_BELL = [math.exp(-0.5 * (k / _DEVIATION) ** 2) for k in range(-_MARGIN, _MARGIN + 1)]
_WEIGHTS = [weight / sum(_BELL) for weight in _BELL]
_C1, _C2 = 0.01**2, 0.03**2


def _window(plane: Tensor) -> Tensor:
    padded = pad(plane, (_MARGIN,) * 4, mode="replicate")
    for axis in (2, 3):
        length = padded.shape[axis] - 2 * _MARGIN
        padded = sum(w * padded.narrow(axis, k, length) for k, w in enumerate(_WEIGHTS))  # type: ignore[assignment]
    return padded


def _map(image: Image, target: Image) -> Tensor:
    x, y = (srgb_encode(luminance(*planes(picture))) for picture in (image, target))
    mean_x, mean_y = _window(x), _window(y)
    dx, dy = x - 0.5, y - 0.5
    spread_x = _window(dx * dx) - (mean_x - 0.5) ** 2
    spread_y = _window(dy * dy) - (mean_y - 0.5) ** 2
    together = _window(dx * dy) - (mean_x - 0.5) * (mean_y - 0.5)
    likeness = (2.0 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    return likeness * (2.0 * together + _C2) / (spread_x + spread_y + _C2)


def _contribute(image: Image, target: Image, frame: Frame) -> Tensor:
    return added(frame.counted(_map(image, target)))


def _finish(total: Tensor, size: Size) -> Loss:
    return 1.0 - mean(total, size)


@operation(reach=reducer(_contribute, _finish, margin=_MARGIN))
def ssim(image: Image, target: Image) -> Loss:
    """How far the structure of a photo is from that of a target: 1 minus the mean structural similarity.

    image: the photo being fitted.
    target: what it should look like, of the same size.

    On sRGB-encoded luminance, Gaussian window of 11 px, standard deviation 1.5 px, K1 = 0.01, K2 = 0.03, peak 1; the
    picture's edge is continued. 0 where both agree. Domain: any finite light.
    Source: Wang, Bovik, Sheikh, Simoncelli (2004).
    """
    return in_type_of(image, _finish(added(_map(image, target)), Size(*image.shape[-2:])))
