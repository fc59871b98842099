"""Look-up tables in .cube files: 1D, 3D, a 1D shaper before a 3D cube, with domains.

Adobe Cube LUT Specification 1.0 (DOMAIN_MIN, DOMAIN_MAX) and Resolve's variant (LUT_1D_INPUT_RANGE,
LUT_3D_INPUT_RANGE, both tables in one file). Red runs fastest in the file; in memory the cube is indexed [r, g, b].
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..ops.cube_text import cube_text
from ..ops.types import Lut
from .atomic import whole_file
from .errors import FileError

_MOST_BYTES = 128 << 20
_MOST_CUBE, _MOST_CURVE = 129, 65536
_WORDS = ("TITLE", "LUT_1D_SIZE", "LUT_3D_SIZE", "DOMAIN_MIN", "DOMAIN_MAX", "LUT_1D_INPUT_RANGE",
          "LUT_3D_INPUT_RANGE", "LUT_IN_VIDEO_RANGE", "LUT_OUT_VIDEO_RANGE")  # fmt: skip


def read_cube(path: Path) -> Lut:
    """A .cube file as a table. Raises FileError with one line that names the file and, where it can, the line."""
    try:
        if path.suffix.lower() != ".cube":
            raise FileError(f"expected a .cube look-up table; got {path.suffix or 'no ending'}")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise FileError(f"expected at most {_MOST_BYTES >> 20} MB; got {size >> 20} MB")
        return _parse(path.read_text(encoding="utf-8", errors="strict"))
    except UnicodeDecodeError:
        raise FileError(f"{path}: expected a .cube look-up table; got bytes that are not text") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except FileError as error:
        raise FileError(f"{path}: {error}") from None


def _parse(text: str) -> Lut:
    words: dict[str, list[str]] = {}
    rows: list[tuple[float, float, float]] = []
    most = 0
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("#")[0].strip() if not line.lstrip().startswith("TITLE") else line.strip()
        if not line:
            continue
        word, *rest = line.split()
        if word[0].isalpha():
            if word not in _WORDS:
                raise FileError(f"line {number}: expected numbers or a keyword of .cube; got {word[:30]!r}")
            if word.endswith("VIDEO_RANGE"):
                raise FileError(f"line {number}: expected full range; {word} is not supported")
            words[word] = rest
            most = _expected_rows(words)
            continue
        if len(rows) >= most:
            raise FileError(f"line {number}: expected {most} entries, as the size says; got more")
        rows.append(_numbers([word, *rest], number))
    if not most:
        raise FileError("expected LUT_1D_SIZE or LUT_3D_SIZE; got neither")
    if len(rows) != most:
        raise FileError(f"expected {most} entries, as the size says; got {len(rows)}")
    table = torch.tensor(rows, dtype=torch.float32)
    curve_size, cube_size = _size(words, "LUT_1D_SIZE", _MOST_CURVE), _size(words, "LUT_3D_SIZE", _MOST_CUBE)
    cube = table[curve_size:].view(cube_size, cube_size, cube_size, 3).permute(2, 1, 0, 3).contiguous()
    return Lut(
        table[:curve_size] if curve_size else None,
        _domain(words, "LUT_1D_INPUT_RANGE"),
        cube if cube_size else None,
        _domain(words, "LUT_3D_INPUT_RANGE"),
    )


def _expected_rows(words: dict[str, list[str]]) -> int:
    return _size(words, "LUT_1D_SIZE", _MOST_CURVE) + _size(words, "LUT_3D_SIZE", _MOST_CUBE) ** 3


def _size(words: dict[str, list[str]], word: str, most: int) -> int:
    if word not in words:
        return 0
    text = words[word][0] if len(words[word]) == 1 else ""
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 2 <= int(text) <= most):
        raise FileError(f"{word}: expected a whole number from 2 to {most}; got {' '.join(words[word])[:30]!r}")
    return int(text)


def _numbers(texts: list[str], line: int | str) -> tuple[float, float, float]:
    try:
        numbers = tuple(float(text) for text in texts)
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or not all(abs(number) < 1e6 for number in numbers):
        raise FileError(f"line {line}: expected three finite numbers; got {' '.join(texts)[:40]!r}")
    return numbers


def _domain(words: dict[str, list[str]], ranged: str) -> Tensor:
    if ranged in words:
        low, high, _ = _numbers([*words[ranged], "0"], ranged)
        domain = torch.tensor([[low] * 3, [high] * 3])
    else:
        low3 = _numbers(words.get("DOMAIN_MIN", ["0", "0", "0"]), "DOMAIN_MIN")
        high3 = _numbers(words.get("DOMAIN_MAX", ["1", "1", "1"]), "DOMAIN_MAX")
        domain = torch.tensor([low3, high3])
    if not (domain[1] - domain[0] > 1e-6).all():
        raise FileError(f"expected a domain that rises; got {domain[0].tolist()} to {domain[1].tolist()}")
    return domain


def write_cube(path: Path, lut: Lut, title: str, force: bool = False) -> None:
    """Write a .cube file, whole or not at all. Raises FileError."""
    try:
        text = cube_text(lut, title)
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    with whole_file(path, force) as part:
        part.write_text(text, encoding="utf-8")
