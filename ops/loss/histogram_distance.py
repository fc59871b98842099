import torch
from torch import Tensor

from ...light.histogram import soft_histogram
from ...light.planes import planes
from ...light.spaces import to_oklab
from ..reach import reducer
from ..spec import operation
from ..types import Image, Loss, in_type_of

_BINS = 128
_RANGES = ((0.0, 1.25), (-0.4, 0.4), (-0.4, 0.4))


def _contribute(image: Image) -> Tensor:
    channels = zip(to_oklab(*planes(image)), _RANGES)
    return torch.stack([soft_histogram(plane, low, high, _BINS) for plane, (low, high) in channels], dim=1)


def _finish(total: tuple[Tensor, Tensor]) -> Loss:
    one, two = (counts.cumsum(2) / counts.sum(2, keepdim=True) for counts in total)
    widths = torch.tensor([(high - low) / _BINS for low, high in _RANGES], dtype=one.dtype, device=one.device)
    return ((one - two).abs().sum(2) * widths).sum(1).reshape(-1, 1, 1, 1)


@operation(reach=reducer(_contribute, _finish, apart=True))
def histogram_distance(image: Image, target: Image) -> Loss:
    """How far the tones and colours of a photo, as a whole, are from those of a target, wherever they lie.

    image: the photo being fitted.
    target: a photo with the tones and colours wanted; any scene, any size.

    Soft histograms of OKLab lightness, a and b; per channel the earth mover's distance (the area between the running
    sums), in OKLab units, summed. Domain: any finite light; what lies outside the histogram counts in its end bins.
    """
    return in_type_of(image, _finish((_contribute(image), _contribute(target))))
