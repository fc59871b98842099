"""The first lines of the process that decodes, run by path, as the package may have any name where that was started."""

import sys
from importlib import util
from pathlib import Path

_root = Path(__file__).resolve().parent.parent
_spec = util.spec_from_file_location("luxgrad", _root / "__init__.py", submodule_search_locations=[str(_root)])
assert _spec is not None
assert _spec.loader is not None
sys.modules["luxgrad"] = _package = util.module_from_spec(_spec)
_spec.loader.exec_module(_package)
__package__ = "luxgrad.files"

from .worker import serve  # noqa: E402

serve(Path(globals()["FOLDER"]))  # where the request lies; set by who runs this file
