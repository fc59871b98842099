"""The house: who may import whom, that packages and files agree, and that nothing names a place it should not."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from luxgrad.docs.generate import broken, stale
from luxgrad.ops.spec import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "advice",
    "benchmarks",
    "cli",
    "endpoint",
    "engine",
    "files",
    "fit",
    "graph",
    "light",
    "networks",
    "nodes",
    "ops",
    "training",
)
STANDARD = set(sys.stdlib_module_names)
ALLOWED: dict[str, set[str]] = {
    "light": {"torch"},
    "ops": {"torch", "light", "networks"},
    "networks": {"torch", "safetensors", "light", "ops"},
    "graph": {"torch", "networkx", "light", "ops"},
    "engine": {"torch", "networkx", "light", "ops", "graph"},
    "fit": {"torch", "cma", "numpy", "light", "ops", "graph", "engine"},
    "files": {"torch", "numpy", "PIL", "tifffile", "imagecodecs", "rawpy", "OpenEXR", "pillow_heif", "light", "ops"},
    "advice": {"torch", "safetensors", "transformers", "light", "ops", "graph", "engine", "fit", "networks"},
    "cli": {"torch", "light", "ops", "graph", "engine", "fit", "files", "networks", "advice", "training", "api", "environment"},
    "endpoint": {"torch", "PIL", "light", "graph", "advice"},
    "nodes": {"torch", "numpy", "PIL", "aiohttp", "light", "ops", "graph", "engine", "fit", "files", "networks", "advice"},
    "training": {"torch", "safetensors", "light", "ops", "graph", "engine", "fit", "files", "networks", "advice"},
    "benchmarks": {
        "torch",
        "numpy",
        "PIL",
        "pillow_heif",
        "PyOpenColorIO",
        "rawpy",
        "light",
        "ops",
        "graph",
        "engine",
        "fit",
        "files",
        "networks",
        "advice",
        "api",
        "cli",
        "training",
        "tests",
    },
}
CODECS = ("imagecodecs", "tifffile", "rawpy", "OpenEXR", "pillow_heif")
INSIDE_A_FUNCTION_ONLY = {
    ("graph", "networkx"), ("engine", "networkx"), ("fit", "cma"), ("fit", "numpy"), ("advice", "transformers"),
    ("endpoint", "PIL"),
    *(("files", codec) for codec in CODECS),
}  # fmt: skip


def python_files() -> list[Path]:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [ROOT / name for name in tracked if (ROOT / name).exists()]


def imports(path: Path) -> list[tuple[str, bool]]:
    """(what is imported, whether at the top of the module), rooms by their name."""
    tree = ast.parse(path.read_text())
    top = set(ast.walk(ast.Module([n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom, ast.If))], [])))
    depth = len(path.relative_to(ROOT).parts) - 1
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [(node.module or "").split(".")[0]]
        elif isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        found += [(name, node in top) for name in names]
    return found


@pytest.mark.parametrize("room", [room for room in ROOMS if (ROOT / room).is_dir()])
def test_a_room_imports_only_what_the_law_allows(room: str) -> None:
    for path in python_files():
        if path.relative_to(ROOT).parts[0] != room:
            continue
        for name, top in imports(path):
            if name in STANDARD or name == room or name == "__version__":
                continue
            assert name in ALLOWED[room], f"{path.relative_to(ROOT)}: {room} may not import {name}"
            assert not (top and (room, name) in INSIDE_A_FUNCTION_ONLY), f"{path}: import {name} inside a function"


def edges(room: str) -> dict[str, set[str]]:
    """Module -> the modules of the same room that it imports anywhere: at its top, in a function, for types alone."""
    modules = {module_name(path): path for path in python_files() if path.relative_to(ROOT).parts[0] == room}
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        wanted: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = ".".join([*package.split(".")[: len(package.split(".")) + 1 - node.level], *filter(None, [node.module])])
                wanted |= {inner if inner in modules else base for inner in (f"{base}.{alias.name}" for alias in node.names)}
        found[name] = wanted & modules.keys() - {name}
    return found


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Modules that reach each other."""
    reached = {name: set(graph[name]) for name in graph}
    for middle in graph:
        for name in graph:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    found = [frozenset(other for other in graph if other in reached[name] and name in reached[other]) for name in graph]
    return [set(circle) for circle in dict.fromkeys(found) if circle]


@pytest.mark.parametrize("room", [room for room in ROOMS if (ROOT / room).is_dir()])
def test_modules_of_a_room_import_each_other_one_way(room: str) -> None:
    assert not circles(edges(room))


def test_a_circle_is_found_where_there_is_one() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == [{"b", "c"}]
    assert "files.apart" in edges("files")["files.decode"]
    assert "files.photo" in edges("files")["files.formats.jxl"], "an import in a function counts"


def test_formats_load_without_torch_so_that_a_decoding_process_starts_fast() -> None:
    code = (
        "import sys; import luxgrad.files.formats.registry; assert not {'torch', 'tifffile', 'imagecodecs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inside_the_package_imports_are_relative() -> None:
    for path in python_files():
        if path.relative_to(ROOT).parts[0] in (*ROOMS, "api.py", "__main__.py", "__init__.py"):
            assert "luxgrad" not in {name for name, _ in imports(path)}, path


def test_constraints_pin_every_dependency_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["fit"], *extras["files"], *extras["exr"], *extras["raw"], *extras["test"]]
    names = {re.split(r"[<>=]", entry)[0] for entry in wanted}
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert names == pinned
    assert not {"opencv-python", "scikit-image"} & names


def test_an_operation_is_one_file_named_like_it() -> None:
    """Or a row of its family's table, in the one file of the family."""
    for spec in REGISTRY.values():
        declared = spec.template or spec.function
        file = Path(sys.modules[declared.__module__].__file__ or "")
        assert file.resolve() == ROOT / "ops" / spec.family / f"{declared.__name__}.py"
        assert spec.template or spec.name == file.stem


def test_what_is_generated_from_the_declarations_is_up_to_date() -> None:
    """In it the public face is frozen: ids, inputs, parameters with their defaults, and sockets."""
    assert not stale(), f"run make generate, and read what it changes: {', '.join(stale())}"


def test_what_is_added_anywhere_but_at_the_end_is_no_inventory() -> None:
    face = "tone.x | image:IMAGE | stops=0.0 | IMAGE\n"
    assert not broken(face, face + "tone.y | image:IMAGE |  | IMAGE\n")
    assert not broken(face, "tone.x | image:IMAGE guide:G | stops=0.0 axis=EV | IMAGE MASK\n")
    assert not broken("tone.x | image:IMAGE |  | IMAGE\n", face)
    for change in ("axis=EV stops=0.0", "stops=0.5", "stop=0.0", ""):
        assert "parameters" in broken(face, face.replace("stops=0.0", change))[0]
    assert "inputs" in broken(face, face.replace("image:IMAGE", "guide:G image:IMAGE"))[0]
    assert "gone" in broken(face, "")[0]


def test_the_root_loads_under_any_name_as_a_plugin_does(tmp_path: Path) -> None:
    folder = tmp_path / "my.pack-main"
    folder.symlink_to(ROOT)
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        assert set(sys.modules) - before == {name}
        assert callable(module.load)
    finally:
        for loaded in set(sys.modules) - before:
            del sys.modules[loaded]


def test_importing_the_package_costs_nothing() -> None:
    code = "import sys, luxgrad; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")


def test_files_stay_short_and_hold_no_forbidden_word() -> None:
    forbidden = re.compile(r"\beval\(|\bexec\(|pickle|torch\.load\(|shell=True|yaml\.load\(")
    for path in python_files():
        text = path.read_text()
        if path == ROOT / "training" / "features.py":  # reads two files of known SHA-256, tensors alone
            text, count = re.subn(r"torch\.load\([^\n]+, weights_only=True\)\n", "", text)
            assert count == 1
        if path.relative_to(ROOT).parts[0] != "tests":
            assert text.count("\n") <= 330, f"{path} has {text.count(chr(10))} lines"
            assert not forbidden.search(text), path
