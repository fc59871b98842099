"""`luxgrad`: arguments in, exit codes out. 0 done; 2 bad input, one line; 130 interrupted; 143 ended; 1 a bug of ours."""

from __future__ import annotations

import argparse
import io
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="luxgrad", description="A differentiable darkroom: photo retouching as a graph with gradients.")
    parser.add_argument("--version", action="version", version=f"luxgrad {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    ops = commands.add_parser("ops", help="list the operations")
    ops.add_argument("--json", action="store_true", help="as JSON, with every parameter's range, default and tooltip")

    check = _with_workflow(commands.add_parser("check", help="check a workflow and say what it does"))
    check.add_argument("--input", action="append", default=[], metavar="[STEP=]FILE", help="photo for a source")

    run = _with_workflow(commands.add_parser("run", help="render a photo through a workflow"))
    _rendering(run)
    run.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="set a parameter, such as exposure.stops=1"
    )
    run.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="photo to write; may hold {name}, {date}, {camera}, {counter:04} and the like",
    )
    run.add_argument(
        "--each", nargs="+", metavar="[STEP=]FILE", help="photos to run one after another; --out is then a template"
    )
    run.add_argument("--size", type=int, metavar="PX", help="long edge of the result; never enlarges")

    fit = _with_workflow(commands.add_parser("fit", help="move the free sliders so that a photo comes out like its target"))
    _rendering(fit)
    fit.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="where a parameter starts")
    fit.add_argument("--target", metavar="FILE", help="what the photo should look like")
    fit.add_argument("--pair", action="append", default=[], nargs=2, metavar="FILE", help="one more photo and its target")
    fit.add_argument("--free", action="append", metavar="PATTERN", help="sliders that may move, as in the Fit step (all)")
    fit.add_argument("--method", choices=("auto", "lm", "adam", "cmaes"), help="auto chooses lm for a target, adam for a loss")
    fit.add_argument("--seconds", type=float, metavar="S", help="time allowed (20)")
    fit.add_argument("--seed", type=int, metavar="N", help="of the sampled pixels and restarts (0)")
    fit.add_argument("--exact", action="store_true", help="Delta E of every pixel; above 0.5 MP it is of a lattice of them")
    fit.add_argument(
        "--out", required=True, metavar="DIR", help="folder for fitted.json, result.tif, comparison.png, report.json"
    )

    bake = _with_workflow(commands.add_parser("bake", help="write the look of a pointwise workflow as a .cube"))
    bake.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="set a parameter")
    bake.add_argument("--sink", metavar="STEP", help="which sink, where there are several")
    bake.add_argument("--points", type=int, default=33, metavar="N", help="entries per edge (33)")
    bake.add_argument("--out", required=True, metavar="LOOK.cube")
    bake.add_argument("--force", action="store_true", help="replace a file that is there")

    convert = commands.add_parser("convert", help="turn a workflow from the editor's form into the API form, or back")
    convert.add_argument("workflow", metavar="IN", help="workflow file, either form, or a picture that carries one")
    convert.add_argument("out", metavar="OUT", help="workflow file, the other form")
    convert.add_argument("--force", action="store_true", help="replace a file that is there")

    diagnose = _with_workflow(
        commands.add_parser("diagnose", help="say what is wrong with a photo or an edit, or follow a sentence, and mend it"),
        "?",
    )
    advise = _with_workflow(commands.add_parser("advise", help="diagnose a workflow (older name)"), "?")
    _asking(diagnose)
    _asking(advise)
    diagnose.add_argument("--out", metavar="FITTED.json", help="write the workflow as advised, under this name")
    advise.add_argument("--apply", metavar="OUT", help="write the workflow as advised, under this name")

    auto = _with_workflow(commands.add_parser("auto", help="the patch of advise --advisor auto (older name)"))
    auto.add_argument("--input", action="append", default=[], metavar="[STEP=]FILE", help="photo for a source")
    auto.add_argument("--sink", metavar="STEP", help="which sink, where there are several")
    auto.add_argument("--out", metavar="WORKFLOW", help="write the workflow as advised; otherwise print the patch")
    auto.add_argument("--force", action="store_true", help="replace a file that is there")

    train = commands.add_parser("train", help="train a network on photos of your own")
    train.add_argument("network", choices=("abpn",), help="abpn: the blend pyramid of Local retouch")
    train.add_argument(
        "--pairs", required=True, metavar="DIR", help="NAME_before and NAME_after photos, or folders before and after"
    )
    train.add_argument(
        "--out", required=True, metavar="DIR", help="folder for weights, curve.csv, report.json; a stopped training goes on"
    )
    train.add_argument("--weights", metavar="NAME", help="weights to begin with, of a blend pyramid (none: from nothing)")
    train.add_argument("--minutes", type=float, default=60.0, metavar="M", help="time for training, over all sessions (60)")
    train.add_argument("--rate", type=float, default=5e-4, metavar="R", help="of learning (0.0005)")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of the crops (0)")
    train.add_argument(
        "--paper",
        action="store_true",
        help="the paper's terms and schedule: slower, and needs feature weights (python -m luxgrad.training.features --help)",
    )

    info = commands.add_parser("info", help="what photo files say of themselves: size, colour, camera, exposure, workflow")
    info.add_argument("files", nargs="+", metavar="FILE")
    info.add_argument("--json", action="store_true", help="as a JSON list")

    sheet = commands.add_parser("sheet", help="put many photos on one contact sheet")
    sheet.add_argument("out", metavar="OUT", help="picture to write")
    sheet.add_argument("files", nargs="+", metavar="FILE", help="photos, in their order")
    sheet.add_argument("--columns", type=int, default=0, metavar="N", help="photos in a row (0: about 3 wide, 2 high)")
    sheet.add_argument("--cell", type=int, default=480, metavar="PX", help="longest edge of each photo (480)")
    sheet.add_argument("--gap", type=int, default=24, metavar="PX", help="between and around the cells (24)")
    sheet.add_argument("--background", type=float, default=13.0, metavar="%%", help="lightness of the paper (13)")
    sheet.add_argument("--captions", choices=("file name", "number", "none"), default="file name")
    sheet.add_argument("--force", action="store_true", help="replace a file that is there (never an input)")
    return parser


def _asking(advise: argparse.ArgumentParser) -> None:
    """What is said to an advisor, and about which photo."""
    advise.add_argument(
        "--advisor", metavar="NAME", help="who is asked (as the Diagnose step says; style with --say, else auto)"
    )
    advise.add_argument("--advisors", action="store_true", help="list who can be asked")
    advise.add_argument(
        "--say", metavar="TEXT", help="a sentence (bit warmer, the sky less cyan), or what else the advisor is told"
    )
    advise.add_argument("--input", action="append", default=[], metavar="[STEP=]FILE", help="photo for a source")
    advise.add_argument("--sink", metavar="STEP", help="whose picture: a sink, a Diagnose step or any other")
    advise.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    advise.add_argument("--force", action="store_true", help="replace a file that is there (never an input)")
    advise.add_argument("--json", action="store_true", help="findings, patch and conversation as JSON")


def _with_workflow(parser: argparse.ArgumentParser, number: str | None = None) -> argparse.ArgumentParser:
    parser.add_argument(
        "workflow",
        nargs=number,
        metavar="WORKFLOW",
        help="workflow file (either of ComfyUI's forms), or a picture that carries one",
    )
    parser.add_argument("--root", action="append", default=[], metavar="DIR", help="one more folder the workflow may read from")
    return parser


def _rendering(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", action="append", default=[], metavar="[STEP=]FILE", help="photo for a source")
    parser.add_argument("--sink", metavar="STEP", help="which sink or Fit step, where there are several")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--force", action="store_true", help="replace files that are there (never an input)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may hold what the terminal's encoding has no letter for
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:  # from here on: what is imported takes seconds, and may be interrupted too
        from .. import environment
        from . import commands

        environment.use()
        getattr(commands, options.command)(options)
        return 0
    except KeyboardInterrupt as stop:
        print(f"luxgrad: interrupted; {str(stop) or 'nothing was written'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        from .problems import problem_line

        line = problem_line(error)
        if line is None:
            traceback.print_exc()
            print("luxgrad: this is a bug of ours; please report the lines above", file=sys.stderr)
            return 1
        print(f"luxgrad: {line}", file=sys.stderr)
        return 2


class _Ended(BaseException):
    """SIGTERM came. No Exception: nothing but the cleaning up on the way out may take notice."""


def _end(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: a second one would cut the cleaning up short
    raise _Ended


def entry() -> NoReturn:
    signal.signal(signal.SIGTERM, _end)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a terminal of few letters stops nothing
    try:
        sys.exit(main())
    except _Ended:
        print("luxgrad: ended; what was unfinished is removed", file=sys.stderr)
        sys.exit(143)
