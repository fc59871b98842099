"""The Python face: open a workflow, load and save photos, and ask an advisor about them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import environment
from .advice.asking import Advised, advise
from .advice.settling import settled
from .engine.bake import Baked, bake
from .engine.export import export_job
from .engine.render import Put, Settings, companions, render
from .files.decode import read_photo
from .files.errors import FileError
from .files.folder import Folders, read_file
from .files.names import expanded, numbered
from .files.save import save_rendered
from .files.workflow import embedded_workflow, is_picture
from .fit.asked import looked_at
from .fit.fit import fit
from .fit.parameters import traverse
from .fit.report import Fitted
from .graph import model
from .graph.embedding import workflow_texts
from .graph.errors import Stopped, WorkflowError
from .graph.model import Ref, Step
from .graph.outputs import output_of
from .graph.patch import Patch
from .graph.ports import DEVELOPING, PORTS
from .graph.schema import MOST_BYTES, from_data, loads, save as save_workflow
from .light.difference import compare
from .light.photo import Photo
from .light.rectangle import strips
from .networks.weights import WeightsError, load_network
from .ops.params import BadValue

__all__ = [
    "FileError",
    "Graph",
    "Photo",
    "Stopped",
    "WorkflowError",
    "advise",
    "auto",
    "compare",
    "diagnose",
    "load",
    "open",
    "save",
    "traverse",
]

Name = str | os.PathLike[str]

environment.use()


class Graph(model.Graph):
    """A workflow to call, to fit and to save."""

    @classmethod
    def of(cls, workflow: model.Graph | Mapping[str, Any]) -> Graph:
        """A graph of the inner rooms, or a workflow as Python data (API or UI form), with this face. Raises WorkflowError.

        Data names no folder: of files only the weights that ship are found.
        """
        graph = workflow if isinstance(workflow, model.Graph) else from_data(workflow, Workspace([]))
        return cls(graph.steps, graph.read, graph.made, graph.document)

    def __call__(self, photo: model.Photos, values: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Render the graph. A photo gives a photo, a B3HW tensor a tensor, with ordinary autograd.

        photo: for the only source of the graph, or a mapping from source steps to photos.
        values: parameters by path; tensors (0-d, or one value per picture of a batch) that require gradients get them.
        options: as in `engine.render.render`.
        """
        given = dict(values or {})
        tensors = {path: given.pop(path) for path, value in [*given.items()] if isinstance(value, Tensor)}
        graph = self.with_values(given)
        places = [output_of(graph, options.get("sink"))]
        return render(settled(graph, [photo], places, _settings(options)), photo, tensors, **options)

    def fit(self, photo: model.Photos, target: Any = None, **options: Any) -> Fitted[Graph]:
        """Move the free sliders so that the photo comes out like the target; options as in `fit.fit.fit`.

        Diagnose steps that the photo comes through are asked first: the fit starts from what they advise, and goes past them.
        """
        photos = photo if isinstance(photo, (list, tuple)) else [photo]
        places = looked_at(self, options.get("sink"), target)
        return fit(settled(self, photos, places, _settings(options)), photo, target, **options)

    def bake(self, points: int = 33, sink: str | None = None, photo: model.Photos | None = None) -> Baked:
        """The look of a pointwise graph as a cube of `points` per edge, and how far it is from the graph.

        photo: what Diagnose steps are asked about; None is the one that the workflow names. Raises WorkflowError.
        """
        return bake(settled(self, [photo or {}], [output_of(self, sink)]), points, sink)

    def save(self, file: Name) -> None:
        """Write the workflow file, in the form it came in, and the tables and weights that a fit made beside it."""
        save_workflow(self, file)


def _settings(options: Mapping[str, Any]) -> Settings:
    """Where an advisor is to look at a picture: where it will be rendered."""
    return Settings(**{name: options[name] for name in ("device", "dtype") if name in options})


class Workspace:
    """What a workflow may read: files in its folder and in allowed roots, weights in them, and those that ship.

    own: names that the user typed, which may lie anywhere.
    """

    def __init__(self, folders: Sequence[Path], own: Collection[str] = ()) -> None:
        self.folders, self.own = Folders(folders), own

    def __call__(self, kind: str, name: str, **options: Any) -> Any:
        try:
            if kind == "network":
                return load_network(name, self.folders.folders)
            return read_file(kind, self.find(kind, name), **options)
        except (FileError, WeightsError) as error:
            raise WorkflowError(str(error)) from None

    def find(self, kind: str, name: str) -> Path:
        """The file that a name stands for. Raises WorkflowError."""
        if name in self.own:
            return Path(name)
        if not self.folders.folders:
            raise WorkflowError("no folder to read from; hand it over, or open the workflow from a file")
        try:
            return self.folders.find(kind, name)
        except FileError as error:
            raise WorkflowError(str(error)) from None


def open(file: Name, roots: Sequence[Name] = ()) -> Graph:  # noqa: A001
    """A workflow file as a graph; what it names is read from its folder or from `roots`. Raises WorkflowError."""
    return open_workflow(Path(file), [Path(root) for root in roots])


def open_workflow(path: Path, roots: Sequence[Path], own: Collection[str] = ()) -> Graph:
    """As `open`; `own` names are the user's, and may lie anywhere."""
    text = workflow_text(path)
    try:
        return Graph.of(loads(text, Workspace([path.parent, *roots], own)))
    except WorkflowError as error:
        raise WorkflowError(f"{path}: {error}") from None


def workflow_text(path: Path) -> str | bytes:
    """What a workflow file holds, or a picture that carries its workflow. Raises WorkflowError where there is none."""
    try:
        if is_picture(path):
            found = embedded_workflow(path)
            if not found:
                raise WorkflowError(f"{path}: expected a workflow; got a picture without one")
            return found.get("prompt") or found["workflow"]
        if path.stat().st_size > MOST_BYTES:
            raise WorkflowError(f"{path}: expected a workflow of at most {MOST_BYTES >> 20} MB")
        return path.read_bytes()
    except FileError as error:
        raise WorkflowError(str(error)) from None
    except OSError as error:
        raise WorkflowError(f"{path}: {error.strerror or error}") from None


def load(file: Name, **developing: Any) -> Photo:
    """A file as a photo, at full depth, upright, by its colour profile. Raises FileError.

    developing: of a camera raw file, by the names, words and ranges of the step Load Photo: develop, white_balance, kelvin,
    tint, highlights, demosaic, denoise, noise_threshold.
    """
    return read_photo(Path(file), **checked_developing(developing))


def checked_developing(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the RAW parameters of Load Photo, checked. Raises FileError."""
    checked = {}
    for name, value in values.items():
        if name not in DEVELOPING:
            raise FileError(f"expected one of {', '.join(DEVELOPING)}; got {name!r}")
        checked[name] = _checked_option("luxgrad.load_photo", name, value)
    return checked


def save(
    photo: Photo,
    file: Name,
    depth: str = "auto",
    quality: int = 95,
    dither: bool = True,
    force: bool = False,
    *,
    colour_space: str = "sRGB",
    metadata: str = "keep",
    size: int = 0,
    sharpen: str = "none",
    workflow: model.Graph | None = None,
) -> Path:
    """Write a photo with its profile and metadata, as the step Save Photo does; the name's ending chooses the format.

    file: may hold fields such as {name}, {date} and {counter:04}. The options are Save Photo's, in its words and ranges
    (half and float depth: linear light). workflow: embed this graph. force: replace a file that is there, which is never done
    for a name with {counter}. Returns the path that was written. Raises FileError.
    """
    options = {"depth": depth, "quality": quality, "dither": dither, "colour_space": colour_space, "metadata": metadata,
               "size": size, "sharpen": sharpen, "workflow": workflow is not None}  # fmt: skip
    values = {name: _checked_option("luxgrad.save_photo", name, value) for name, value in options.items()}
    camera = model.Graph({"photo": Step("photo", PORTS["luxgrad.load_photo"])})
    job = export_job(camera, Ref("photo"), {Ref("photo"): photo}, values["size"], values["sharpen"])
    result = job.plan.size(job.plan.outputs[0])
    path = numbered(Path(expanded(os.fspath(file), photo.metadata, (result.width, result.height))))

    def render(put: Put) -> None:
        with torch.no_grad():
            if result == photo.size and values["sharpen"] == "none":
                for region in strips(photo.size):
                    put(region, photo.read(region))
            else:
                job.measured().render(job.plan.outputs[0], put)

    save_rendered(path, values, result, render, lambda: companions(job), workflow_texts(workflow) if workflow else {}, force)
    return path


def diagnose(graph: model.Graph | None, photo: model.Photos, say: str = "", advisor: str = "", **options: Any) -> Advised:
    """What is wrong with the picture that a graph makes of a photo, or what fulfils a sentence; and the patch that does it.

    graph: None is the photo as it is. say: a sentence for style, a table of slider words for parameter, nothing for auto.
    advisor: who is asked; empty is style where something is said, else auto. options: as of `advise` (sink, history, size).
    Gives an `Advised`: `graph` as the patch makes it, to call and to save, `patch`, `lines()` as the reasoning, `mask`.
    Raises WorkflowError.
    """
    return advise(Graph.of(graph or plain_graph()), photo, advisor or ("style" if say.strip() else "auto"), say, **options)


def plain_graph(file: str = "") -> model.Graph:
    """A workflow that opens a photo and saves it as it is."""
    opening = Step("photo", PORTS["luxgrad.load_photo"], {"file": file}, title="Photo")
    saving = Step("save", PORTS["luxgrad.save_photo"], {}, {"image": Ref("photo")}, title="Save")
    return model.Graph({"photo": opening, "save": saving}, Workspace([]))


def auto(graph: Graph, photo: model.Photos, sink: str | None = None) -> Patch:
    """The patch of `advise(graph, photo, "auto")`."""
    return advise(graph, photo, "auto", sink=sink).patch


def _checked_option(node: str, name: str, value: Any) -> Any:
    """A value of a parameter, checked. Raises FileError."""
    param = PORTS[node].param(name)
    assert param is not None
    try:
        return param.kind.check(value)
    except BadValue as error:
        raise FileError(f"{name}: {error}") from None
