"""The editor's reading of a Fit node's free text (nodes/web/free.js) against the fit's own (graph/free.py)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from luxgrad.fit.free import read_free
from luxgrad.graph.schema import from_data

ROOT = Path(__file__).resolve().parents[2]
NODES = {"2": ("Bright", "tone.exposure"), "3": ("Colour", "colour.saturation"), "4": ("Colour", "colour.saturation"),
         "5": ("a.dot", "tone.exposure")}  # fmt: skip
TEXTS = [
    "", "# nothing but a comment", "Bright.stops", "*.amount", "3.*", "*.stops\n*.amount in -0.5..0.5", "[35].*",
    "[!3]*.amount", "?.vibrance per photo", "Bright.stops = 5.stops", "Bright.stops in -1..1 # tight\n3.amount = 4.amount",
    "*", "2.stops\nBright.stops", "3.amount  in  -0.1..0.1  per photo", "4.*\n\n  5.stops  ",
]  # fmt: skip
SCRIPT = """
import { isFree, toggled } from %s;
let input = "";
for await (const chunk of process.stdin) input += chunk;
const { texts, sliders } = JSON.parse(input);
console.log(JSON.stringify(texts.map((text) => ({
    free: sliders.filter((slider) => isFree(text, slider)).map((slider) => slider.names.at(-1)),
    toggled: sliders.map((slider) => toggled(text, slider, sliders)),
}))));
"""


def graph():
    data = {"1": {"class_type": "luxgrad.load_photo", "inputs": {}}}
    for number, (node, (title, op)) in enumerate(NODES.items(), start=1):
        wire = [str(number), 0]
        data[node] = {"class_type": f"luxgrad.{op}", "inputs": {"image": wire}, "_meta": {"title": title}}
    return from_data(data)


def sliders() -> list[dict[str, list[str]]]:
    shown = graph()
    ids = [f"{step.id}.{param.name}" for step in shown for param in step.spec.sliders]
    return [{"names": list(dict.fromkeys([shown.show(shown.path(name)), name]))} for name in ids]


def freed(text: str) -> set[str]:
    found = read_free(graph(), text, set(NODES))
    return {f"{path.step}.{path.name}" for unknown in found for path in unknown.paths}


@pytest.fixture(scope="module")
def answers() -> list[dict]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the editor's modules are tested with node: apt install nodejs")
    script = SCRIPT % json.dumps((ROOT / "nodes" / "web" / "free.js").as_uri())
    command = [node, "--no-warnings", "--input-type=module", "-e", script]
    given = json.dumps({"texts": TEXTS, "sliders": sliders()})
    return json.loads(subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("index", range(len(TEXTS)), ids=[text.splitlines()[0] if text else "empty" for text in TEXTS])
def test_a_padlock_shows_what_the_fit_will_do_and_turns_one_slider_only(answers: list[dict], index: int) -> None:
    free = freed(TEXTS[index])
    assert set(answers[index]["free"]) == free
    for slider, text in zip(sliders(), answers[index]["toggled"]):
        name = slider["names"][-1]
        if text is None:
            assert free == {name}
        else:
            assert freed(text) == free ^ {name}


def test_bounds_and_comments_outlive_a_padlock(answers: list[dict]) -> None:
    index = TEXTS.index("*.stops\n*.amount in -0.5..0.5")
    held = [slider["names"][-1] for slider in sliders()].index("3.amount")
    assert answers[index]["toggled"][held] == "*.stops\n4.amount in -0.5..0.5"
    index = TEXTS.index("# nothing but a comment")
    assert answers[index]["toggled"][held].startswith("# nothing but a comment\n")
