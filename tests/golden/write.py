"""Write the golden pictures anew, after looking at what changed: python tests/golden/write.py [NAME ...]"""

import sys
from pathlib import Path

import luxgrad

FOLDER = Path(__file__).parent
WORKFLOWS = FOLDER.parent.parent / "workflows"

for name in sys.argv[1:] or sorted(path.stem for path in WORKFLOWS.glob("*.json")):
    picture = luxgrad.open(WORKFLOWS / f"{name}.json")({}, size=400)
    luxgrad.save(picture, FOLDER / f"{name}.png", depth="8", dither=False, force=True)
