"""Write anew all that follows from the declarations: make generate

The inventory of the public face, the help pages, the table of operations in the README, and the packages that
pyproject.toml installs. A test says when one of them is stale.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from luxgrad.graph.ports import PORTS
from luxgrad.nodes.help import pages
from luxgrad.ops.spec import REGISTRY, OpSpec

ROOT = Path(__file__).resolve().parent.parent
INVENTORY = ROOT / "tests" / "inventory.txt"
HELP = ROOT / "nodes" / "web" / "docs"
NOT_INSTALLED = ("benchmarks", "docs", "tests")


def generated() -> dict[Path, str]:
    """Every generated file with the text that it should hold."""
    readme, project = ROOT / "README.md", ROOT / "pyproject.toml"
    return {
        INVENTORY: inventory(),
        readme: _between(readme, "<!-- operations -->\n", "<!-- /operations -->", operations()),
        project: _between(project, "packages = [\n", "]\n", packages()),
        **{HELP / name: text for name, text in pages().items()},
    }


def stale() -> list[str]:
    """The files, by their names in the repository, that do not hold what they should, and help pages of no node."""
    wanted = generated()
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return [str(path.relative_to(ROOT)) for path in sorted([*wrong, *_orphans(wanted)])]


def inventory() -> str:
    """The public face, a line per operation, source and sink: id, inputs with sockets, parameters with defaults, outputs."""
    lines = []
    for op, spec in (*sorted(REGISTRY.items()), *sorted(PORTS.items())):
        inputs = " ".join(f"{entry.name}:{entry.socket}" for entry in spec.inputs)
        params = " ".join(f"{param.name}={param.default}" for param in spec.params)
        outputs = " ".join(output.socket for output in spec.outputs)
        lines.append(f"{op} | {inputs} | {params} | {outputs}\n")
    return "".join(lines)


def broken(before: str, after: str) -> list[str]:
    """What a new inventory takes from an old one: ids that are gone, and entries that were not added at the end."""
    new = {line.split(" | ")[0]: line.split(" | ") for line in after.splitlines()}
    found = []
    for line in before.splitlines():
        op, *parts = line.split(" | ")
        if op not in new:
            found.append(f"{op} is gone: files that name it open no more")
            continue
        for kind, old, now in zip(("inputs", "parameters", "outputs"), parts, new[op][1:]):
            if not f"{now} ".startswith(f"{old} ".lstrip()):
                found.append(f"{op}: {kind} are added at the end, and keep their names and defaults; {old!r} became {now!r}")
    return found


def operations() -> str:
    """The README's table: a row per family, in the words of its package."""
    families: dict[str, list[OpSpec]] = {}
    for _, spec in sorted(REGISTRY.items()):
        families.setdefault(spec.family, []).append(spec)
    rows = ["| family | | operations |", "|---|---|---|"]
    for family, specs in families.items():
        about = inspect.getdoc(importlib.import_module(f"luxgrad.ops.{family}")) or ""
        _, _, what = " ".join(about.split()).partition(": ")
        if not what:
            raise SystemExit(f'ops/{family}/__init__.py: expected """{family.capitalize()}: what it does."""; got {about!r}')
        names = ", ".join(spec.name.replace("_", " ") for spec in specs)
        rows.append(f"| {family} | {what.rstrip('.')} | {names} |")
    return "\n".join(rows) + "\n"


def packages() -> str:
    """The folders with an `__init__.py` that an installed Luxgrad has, as they are listed in pyproject.toml."""
    rooms = [path.parent for path in sorted(ROOT.glob("[!.]*/__init__.py")) if path.parent.name not in NOT_INSTALLED]
    folders = [path.parent.relative_to(ROOT) for room in rooms for path in sorted(room.rglob("__init__.py"))]
    names = [".".join(("luxgrad", *folder.parts)) for folder in folders]
    return "".join(f'    "{name}",\n' for name in ["luxgrad", *names])


def _between(path: Path, start: str, end: str, text: str) -> str:
    """A file's text with what stands between two marks replaced."""
    before, mark, rest = path.read_text(encoding="utf-8").partition(start)
    _, close, after = rest.partition(end)
    if not mark or not close:
        raise SystemExit(f"{path.name}: expected {start.strip()} and {end.strip()}, where the generated text stands between")
    return before + mark + text + close + after


def _orphans(wanted: dict[Path, str]) -> list[Path]:
    return [path for path in HELP.glob("*.md") if path not in wanted]


def main() -> None:
    wanted = generated()
    if taken := broken(INVENTORY.read_text(encoding="utf-8"), wanted[INVENTORY]):
        raise SystemExit(
            "\n".join(
                [*taken, "a change of these needs a new id; what was never released is taken out of tests/inventory.txt first"]
            )
        )
    for name in stale():
        print(f"written: {name}")
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    for path in _orphans(wanted):
        path.unlink()


if __name__ == "__main__":
    main()
