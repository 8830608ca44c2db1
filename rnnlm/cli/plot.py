"""`rnnlm plot`: draw curves, heat maps and trade-offs as SVG and PNG."""

from __future__ import annotations

import argparse
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from rnnlm.cli.output import RefusedError, say
from rnnlm.cli.selection import add_selection, select
from rnnlm.messages.legible import escaped
from rnnlm.results.columns import COLUMNS, RANKED
from rnnlm.signals.ctrl_c import ended_by_interrupts

Choice = TypeVar("Choice", bound=Enum)


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "plot",
        help="draw curves, heat maps and trade-offs as SVG and PNG",
        description="For each text, draw the curves with their bands over seeds, the heat map "
        "of models x features, and quality against parameters and time.",
    )
    add_selection(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("plots"),
        metavar="DIR",
        help="folder of the plots (default: plots)",
    )
    parser.add_argument(
        "--x",
        default="epoch,step,tokens,seconds",
        help="horizontal axes of the curves (default: %(default)s)",
    )
    parser.add_argument(
        "--y", default="loss,ppl", help="metrics of the curves (default: %(default)s)"
    )
    parser.add_argument(
        "--figure",
        choices=RANKED,
        default="test_ppl",
        metavar="METRIC",
        help="metric of the heat maps and trade-offs (default: %(default)s)",
    )
    parser.add_argument(
        "--running", action="store_true", help="add the loss during training, with dropout on"
    )
    parser.add_argument("--format", default="svg,png", help="file formats (default: %(default)s)")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Write the plots.

    Raises:
        RefusedError: there is nothing to draw, a choice is unknown, or a file cannot be written.
    """
    # Here, so that the other subcommands do not wait for matplotlib and scipy.
    with ended_by_interrupts():
        from rnnlm.plots.all_plots import draw_all
        from rnnlm.plots.saving import Format, write
        from rnnlm.results.grouping import comparisons
        from rnnlm.results.history import Metric, XAxis

    x, y = _choices("--x", options.x, XAxis), _choices("--y", options.y, Metric)
    formats = _choices("--format", options.format, Format)
    found, _ = select(options)
    compared = comparisons([record for _, record in found])
    plots, broken = draw_all(found, compared, x, y, COLUMNS[options.figure], options.running)
    for error in broken:
        say(f"left out: {error}")
    if not plots:
        raise RefusedError(
            "there is nothing to draw: no run has curves, and no text has two models to compare"
        )
    try:
        paths = write(plots, options.output, formats)
    except OSError as error:
        raise RefusedError(f"{error.filename} cannot be written ({error.strerror})") from error
    for path in paths:
        print(escaped(str(path)))


def _choices(flag: str, given: str, kind: type[Choice]) -> list[Choice]:
    known = [choice.value for choice in kind]
    for name in given.split(","):
        if name not in known:
            raise RefusedError(f"{flag}: {name!r} is not one of {', '.join(known)}")
    return [kind(name) for name in given.split(",")]
