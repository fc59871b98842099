"""All laws there are: the rooms of laws, loaded."""

from . import batching, declaring, differentiating, lighting, placing  # noqa: F401
from .law import LAWS, laws_of

__all__ = ["LAWS", "laws_of"]
