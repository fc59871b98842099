"""The public face of the operations as lines of text. `python tests/inventory.py` writes inventory.txt anew."""

from pathlib import Path

from luxgrad.ops.spec import REGISTRY

FILE = Path(__file__).with_suffix(".txt")


def inventory() -> str:
    """A line per operation: id, inputs with sockets, parameters with defaults, outputs."""
    lines = []
    for op, spec in sorted(REGISTRY.items()):
        inputs = " ".join(f"{entry.name}:{entry.socket}" for entry in spec.inputs)
        params = " ".join(f"{param.name}={param.default}" for param in spec.params)
        outputs = " ".join(output.socket for output in spec.outputs)
        lines.append(f"{op} | {inputs} | {params} | {outputs}\n")
    return "".join(lines)


if __name__ == "__main__":
    FILE.write_text(inventory())
