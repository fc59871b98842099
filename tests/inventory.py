"""The public face as lines of text: operations, and what opens, writes and shows photos.

`python tests/inventory.py` writes inventory.txt anew, unless files that people have would be read otherwise.
"""

from pathlib import Path

from luxgrad.graph.ports import PORTS
from luxgrad.ops.spec import REGISTRY

FILE = Path(__file__).with_suffix(".txt")


def inventory() -> str:
    """A line per operation or port: id, inputs with sockets, parameters with defaults, outputs."""
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


if __name__ == "__main__":
    written = inventory()
    if taken := broken(FILE.read_text(), written):
        raise SystemExit("\n".join([*taken, "a change of these needs a new id"]))
    FILE.write_text(written)
