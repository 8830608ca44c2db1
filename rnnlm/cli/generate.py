"""`rnnlm generate`: write texts with a trained model."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnlm.cli.model import add_device, best_run, load_model, refusing_options
from rnnlm.cli.output import RefusedError, Screen, say, write_output
from rnnlm.cli.selection import add_where
from rnnlm.messages.legible import escaped_json, shortened

if TYPE_CHECKING:
    from rnnlm.generation.verse.score import Score
    from rnnlm.generation.writer import Addition, Text

# Options of `TrainedModel.stream`.
SAMPLING = ["num", "length", "seed", "temperature", "top_k", "top_p", "greedy", "beam"]
SAMPLING += ["repetition_penalty", "state", "stop"]
VERSE = ["form", "acrostic", "rhyme", "tones"]
MOST_DIGITS = 18
# Marks at which a line of verse ends.
MARKS = tuple("，。？！")


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "generate",
        help="write texts with a trained model",
        description="Write texts that continue a prompt, and show them as they are written. The "
        "same run, prompt, seed and options give the same texts.",
    )
    add = parser.add_argument
    add(
        "run",
        nargs="?",
        type=Path,
        metavar="RUN",
        help="a run's folder or a checkpoint; with --best, the folder of the runs "
        "(default: outputs)",
    )
    add("--best", metavar="DATA", help="use the best run of this corpus")
    add_where(parser)
    add("--prompt", default="", help="text to continue")
    add("--length", type=_whole, metavar="N", help="most tokens (default: 200, or the form's)")
    add("--num", type=_whole, metavar="N", help="texts to write at once (default: 1)")
    add("--stop", action="append", metavar="TEXT", help="end a text after TEXT; may be repeated")
    add("--seed", type=_whole, metavar="N", help="seed of the draws (default: 1)")
    add("--temperature", type=float, metavar="T", help="0 is greedy (default: 1, the model's own)")
    add("--top-k", type=_whole, metavar="K", help="draw from the K likeliest tokens, often 5")
    add("--top-p", type=float, metavar="P", help="draw from the likeliest tokens that sum up to P")
    add("--greedy", action="store_true", help="always take the likeliest token")
    add("--beam", type=_whole, metavar="W", help="search for the likeliest text with W beams")
    add("--repetition-penalty", type=float, metavar="R", help="above 1, tokens repeat less")
    add("--state", choices=["zeros", "normal"], help="first state of the network")
    add("--verbose", action="store_true", help="print each token's probability and the perplexity")
    add("--json", action="store_true", help="print JSON, with all that is known of the texts")
    add("--output", "-o", type=Path, metavar="FILE", help="write to a file instead of the screen")
    add_device(parser)
    add = parser.add_argument_group("verse, of data=tang").add_argument
    add(
        "--form",
        choices=["wujue", "qijue", "wulv", "qilv"],
        help="form of the poem (default with the options below: wujue)",
    )
    add("--acrostic", metavar="春江花月", help="first characters of the lines")
    add("--rhyme", action="store_true", help="make the even lines rhyme")
    add("--tones", action="store_true", help="keep the level and oblique tones at the key places")
    add("--score", action="store_true", help="say which rules each poem keeps")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Print the texts, or write them to a file.

    Raises:
        RefusedError: there is no such model, an option cannot be used, or the file cannot be
            written.
    """
    if options.output is not None:
        _refuse_unwritable(options.output)
    model = load_model(_run(options), options.device)
    values = {name: getattr(options, name) for name in [*SAMPLING, *VERSE]}
    given = {name: v for name, v in values.items() if v is not None and v is not False}
    with refusing_options():
        additions = model.stream(options.prompt, with_probabilities=options.verbose, **given)
        prompt = "".join(model.tokenizer.prompt_tokens(options.prompt))
        options.acrostic = model.tokenizer.in_corpus_script(options.acrostic or "", "acrostic")
    from rnnlm.runs.trained_model import unknown_in_words

    for flag, text in (("--prompt", prompt), ("--acrostic", options.acrostic)):
        if unknown := model.unknown(text):
            say(f"{flag}: {unknown_in_words(unknown)}")
    if options.score and model.tokenizer.corpus.config.name != "tang":
        raise RefusedError(
            f"--score: it is for verse, not for {model.tokenizer.corpus.config.name}"
        )
    written = io.StringIO()
    screen = Screen(written if options.output else sys.stdout)
    if options.json or options.output:
        from tqdm import tqdm

        # The texts are shown only when all are written.
        bar = {"unit": " tokens", "unit_scale": True, "leave": False, "disable": None}
        additions = iter(tqdm(additions, **bar))
    if options.json:
        texts = {added.number: added.text for added in additions if added.text is not None}
        described = [_described(texts[number], options) for number in sorted(texts)]
        screen.write(f"{escaped_json(json.dumps(described, indent=2, ensure_ascii=False))}\n")
    else:
        page = _Page(screen, options, prompt, in_form=not given.keys().isdisjoint(VERSE))
        for addition in additions:
            page.show(addition)
    if options.output:
        write_output(options.output, written.getvalue())


def _run(options: argparse.Namespace) -> Path:
    run: Path | None = options.run
    if options.best is not None:
        run = best_run(options.best, run or Path("outputs"), options.where)
        say(f"the best on validation: {run}")
    elif options.where:
        raise RefusedError("--where: it goes with --best DATA")
    elif run is None:
        raise RefusedError("give a run's folder, a checkpoint, or --best DATA")
    return run


class _Page:
    """Shows texts one below the other: each as it is written, once those before it have ended."""

    def __init__(
        self, screen: Screen, options: argparse.Namespace, prompt: str, in_form: bool
    ) -> None:
        self._screen, self._prompt = screen, prompt
        self._options, self._in_form = options, in_form
        self._several = (options.num or 1) > 1
        self._current, self._begun = 0, False
        self._waiting: dict[int, str] = {}
        self._ended: dict[int, Text] = {}
        self._last = ""

    def show(self, addition: Addition) -> None:
        """Show as much as can be shown after this addition."""
        self._waiting[addition.number] = self._waiting.get(addition.number, "") + addition.added
        if addition.text is not None:
            self._ended[addition.number] = addition.text
        while self._current in self._waiting:
            if not self._begun:
                self._begun = True
                if self._several:
                    self._screen.write(f"--- {self._current + 1} of {self._options.num}\n")
                self._write(self._prompt)
            self._write(self._waiting.pop(self._current))
            text = self._ended.pop(self._current, None)
            if text is None:
                break
            self._screen.write("" if self._last == "\n" else "\n")
            for line in _said_of(text, self._options):
                self._screen.write(f"{line}\n")
            self._current, self._begun, self._last = self._current + 1, False, ""
        self._screen.flush()

    def _write(self, text: str) -> None:
        """Write a text; a poem in a form gets a new line after each line of verse."""
        for character in text:
            if self._in_form and self._last in MARKS and character not in MARKS:
                self._screen.write("\n")
            self._screen.write(character)
            self._last = character


def _said_of(text: Text, options: argparse.Namespace) -> list[str]:
    """Return the lines that follow a text: its probabilities and its score, if asked for."""
    lines = []
    if text.probabilities is not None:
        for token, probability in zip(text.tokens, text.probabilities, strict=True):
            lines.append(f"{probability:8.4f}  {repr(token)[1:-1]}")
        lines.append(f"ppl {text.ppl:.4g} over {len(text.tokens)} tokens, under the model")
    if options.score:
        lines.append(str(_score(text, options)))
    return lines


def _described(text: Text, options: argparse.Namespace) -> dict[str, Any]:
    scored = {"score": _score(text, options).to_dict()} if options.score else {}
    return {**text.to_dict(), **scored}


def _score(text: Text, options: argparse.Namespace) -> Score:
    from rnnlm.data.tang import Form
    from rnnlm.generation.verse.score import score

    form = Form[options.form] if options.form else None
    return score(text.prompt + text.text, form, options.acrostic)


def _refuse_unwritable(path: Path) -> None:
    """Check that a file can be written before the texts are, which may take long."""
    try:
        path.resolve()
        problem = errno.EISDIR if path.is_dir() else None if path.parent.is_dir() else errno.ENOENT
    except OSError as error:
        problem = error.errno
    except RuntimeError:  # links in a circle
        problem = errno.ELOOP
    if problem:
        raise RefusedError(f"{path} cannot be written ({os.strerror(problem)})")


def _whole(text: str) -> int:
    """Parse a whole number."""
    if not re.fullmatch(rf"[+-]?[0-9]{{1,{MOST_DIGITS}}}", text.strip()):
        takes = f"it takes a whole number of at most {MOST_DIGITS} digits"
        raise argparse.ArgumentTypeError(f"{shortened(text, 40)!r}: {takes}")
    return int(text)
