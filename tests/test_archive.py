"""What is published as ComfyUI's plugin: the files that its registry will see, and that they do without the others.

The registry looks for words in every file of the archive, in prose too. Any finding keeps a version from being installed until
a person has looked at it, however harmless it is: `node.connect(` in JavaScript is to it a network client. Its rules are not
public; those below are what it told authors of other plugins that it had found, read widely.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomllib

from .files.raws import counts, dng, patches

ROOT = Path(__file__).resolve().parent.parent

RULES = {
    "starts a program": r"subprocess|\bos\s*\.\s*(?:system|popen|spawn|exec|fork|startfile|posix_spawn)"
    r"|\bpopen|child_process|\bpty\b",
    "reads the environment": r"\benvironb?\b|\b(?:get|put|unset)env\b",
    "opens a connection": r"\brequests\s*\.|urllib|http\.client|httpx|smtplib|ftplib|ClientSession|create_connection"
    r"|XMLHttpRequest|WebSocket|\bsocket\s*\.\s*socket|import socket|\.(?:connect|bind)\s*\("
    r"|\.(?:send(?:all|to)?|recv(?:from|_into)?)\s*\(",
    "runs text": r"(?<!\w)(?:eval|exec)\s*\(|(?<![\w.])compile\s*\(|__import__|new Function|\bexec_module\b|\brun_path\b",
    "imports by name": r"\bimport_module\b|\brun_module\b",
    "loads objects": r"pickle|marshal|shelve|dill\b|torch\.load|yaml\.load|sqlite|CodeType",
    "reaches below Python": r"ctypes|cffi|dlopen|OpenProcess|kernel32|winreg",
    "becomes another user": r"(?<![\w-])(?:sudo|su|doas|pkexec|runas)(?![\w-])",
    "names a program that fetches": r"(?<![\w-])(?:curl|wget|ffmpeg|ffprobe|yt-dlp|youtube-dl|pandoc|imgkit|pdfkit"
    r"|powershell)(?![\w-])",
    "hides what it does": r"b(?:16|32|64|85)decode|base64|rot13|fromCharCode|atob\(",
    "installs": r"\bpip3?['\"]|ensurepip|pip\.main|git\+|@ (?:https?|file):",
    "takes what is not ours": r"/etc/|\.ssh\b|id_rsa|api_?key\s*=|\bPath\([^()]*\)\.read_(?:bytes|text)|gettempdir",
    "links where code lies": r"raw\.githubusercontent|pastebin|webhook|ngrok",
    "attacks, as a test would": r"<script|javascript:|\bon(?:load|error)\s*=|rm -rf|DROP TABLE|(?:\.\./){3}|__reduce__",
}

ALLOWED = {
    ("ops/__init__.py", "imports by name"): "finds the operations in its own folders, so that no list names them",
    ("advice/advisors/__init__.py", "imports by name"): "finds the advisors in its own folder, as operations are found",
    ("files/spawn.py", "runs text"): "runpy, of the standard library, runs first in the spawned process; files/boot.py alone",
    ("files/boot.py", "runs text"): "loads this package under its own name in that process, whatever it is called in ComfyUI",
}
"""(file, rule): why it may."""

LARGE = {"workflows/luts/vintage_400_film.cube": 450_000}
"""Texts beyond 100 kB."""

BINARY = {
    r"workflows/photos/\w+\.(?:jpg|png)": 800_000,  # what the templates open
    r"workflows/\w+\.jpg": 50_000,  # their pictures in ComfyUI's gallery of templates
    r"networks/weights/\w+\.safetensors": 10_000_000,
}
"""Files that are no text, and how large each may be."""


def git(*arguments: str) -> list[str]:
    found = subprocess.run(["git", *arguments, "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in found.split("\0") if name and (ROOT / name).exists()]


def archive() -> list[str]:
    """What `comfy node publish` packs: the files that git tracks, less what .comfyignore names in .gitignore's syntax."""
    left_out = set(git("ls-files", "--cached", "--ignored", "--exclude-from=.comfyignore"))
    return [name for name in git("ls-files") if name not in left_out]


def findings(name: str, text: str) -> list[tuple[str, str, str]]:
    return [(name, rule, found.group()) for rule, words in RULES.items() for found in re.finditer(words, text)]


def texts() -> dict[str, str]:
    found = {}
    for name in archive():
        try:
            found[name] = (ROOT / name).read_bytes().decode()
        except UnicodeDecodeError:
            assert any(re.fullmatch(kind, name) for kind in BINARY), f"{name} is no text"
    return found


def test_nothing_in_the_archive_does_what_the_registry_flags() -> None:
    found = [finding for name, text in texts().items() for finding in findings(name, text)]
    assert not [finding for finding in found if finding[:2] not in ALLOWED]
    assert not ALLOWED.keys() - {finding[:2] for finding in found}, "an exception that nothing needs any more"


@pytest.mark.parametrize(
    "line",
    [
        "import subprocess",
        "os.system('ls')",
        "os.popen('ls')",
        "from os import environ",
        "os.getenv('HOME')",
        "requests.get(url)",
        "urllib.request.urlopen(url)",
        "http.client.HTTPConnection(host)",
        "socket.socket()",
        "node.connect(0, other, 1);",
        "handler.bind(this)",
        "connection.recv(4)",
        "eval(text)",
        "model.eval()",
        "LINE.exec(text)",
        "pickle.loads(data)",
        "importlib.import_module(name)",
        "__import__('os')",
        '("su", "Sundanese", "")',
        "Path(model).read_bytes()",
        "open('/etc/passwd')",
    ],
)
def test_what_the_registry_flagged_elsewhere_is_found(line: str) -> None:
    assert findings("any.py", line)


def test_the_archive_is_small_and_holds_no_file_that_nobody_expects() -> None:
    files = archive()
    assert all(name.isascii() for name in files), "git quotes such names, and comfy-cli then misses the files"
    sizes = {name: (ROOT / name).stat().st_size for name in files}
    known = texts()
    for name, size in sizes.items():
        most = next((most for kind, most in BINARY.items() if re.fullmatch(kind, name)), LARGE.get(name, 100_000))
        assert size <= most, f"{name}: {size} bytes"
        assert name not in known or max(map(len, known[name].split("\n"))) < 5000, f"{name}: a line that nobody can read"
    assert sum(sizes.values()) < 12e6
    assert {Path(name).suffix for name in files} <= {
        "", ".py", ".typed", ".toml", ".txt", ".md", ".js", ".json", ".jpg", ".png", ".cube", ".safetensors",
    }  # fmt: skip


def test_the_archive_holds_what_comfyui_opens_and_nothing_of_the_terminal() -> None:
    files = set(archive())
    assert {"__init__.py", "requirements.txt", "pyproject.toml", "LICENSE", "README.md", "nodes/web/luxgrad.js"} <= files
    assert {"nodes/web/docs/luxgrad.tone.exposure.md", "workflows/landscape.json", "workflows/photos/lake.jpg"} <= files
    assert not {name.split("/")[0] for name in files} & {
        "tests",
        "benchmarks",
        "docs",
        "training",
        "cli",
        "endpoint",
        ".ci",
        ".github",
    }
    assert not {"api.py", "environment.py", "__main__.py"} & files
    comfy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["comfy"]
    assert "includes" not in comfy, "what it names is packed in spite of .comfyignore"


def test_the_archive_imports_nothing_that_it_leaves_out() -> None:
    files = set(archive())
    for name in files:
        if not name.endswith(".py"):
            continue
        place = name.split("/")[:-1]
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            base = "/".join([*place[: len(place) + 1 - node.level], *(node.module or "").split(".")]).strip("/")
            for wanted in (f"{base}/{alias.name}".strip("/") for alias in node.names):
                there = any((ROOT / f"{path}{end}").exists() for path in (wanted, base) for end in (".py", "/__init__.py"))
                inside = any(f"{path}{end}".strip("/") in files for path in (wanted, base) for end in (".py", "/__init__.py"))
                late = (name, wanted) == ("__init__.py", "api")  # the Python face, which ComfyUI never asks for
                assert not there or inside or late, f"{name} imports {wanted}"


def test_the_archive_alone_decodes_a_photo_in_a_process_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "a.pack-main"
    for name in archive():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    dng(tmp_path / "chart.dng", counts(patches(np.full((4, 6, 3), 0.18))))
    main = tmp_path / "main.py"
    main.write_text(f"""
import sys, importlib.util as u
print("main", __name__)
s = u.spec_from_file_location("x_pack", {str(folder / "__init__.py")!r}, submodule_search_locations=[{str(folder)!r}])
m = u.module_from_spec(s); sys.modules["x_pack"] = m; s.loader.exec_module(m)
assert len(m.NODE_CLASS_MAPPINGS) > 20
read = sys.modules["x_pack.files.decode"].read_photo
from pathlib import Path
print(tuple(read(Path({str(tmp_path / "chart.dng")!r})).size))
print([name for name in sys.modules if name.startswith(("x_pack.cli", "x_pack.api", "x_pack.environment"))])
""")
    done = subprocess.run([sys.executable, str(main)], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["main __main__", "(96, 144)", "[]"], "or the main module ran again in the other process"
