"""Options of what Hydra makes by the name of its class, such as `logger.csv.*`: checked before use.

Such a class says by its constructor, or by the schema that comes with it, which options there are
and of which types. A wrong one would otherwise end every run of a sweep, after it has begun.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from hydra._internal.utils import _locate

from rnnlm.messages.legible import in_message
from rnnlm.options import OptionError

TARGET = "_target_"


def check_plugin(
    options: Any,
    prefix: str,
    kind: type,
    what: str,
    given: Collection[str] = (),
    forwarded_to: Callable[..., Any] | None = None,
) -> None:
    """See that there is such a class, and that its constructor takes the options.

    Args:
        options: the class under `_target_`, and what its constructor is given.
        prefix: of the options' names.
        kind: what the class has to be one of.
        what: a word for that, in messages.
        given: parameters that this project itself gives.
        forwarded_to: what the constructor passes further options on to.

    Raises:
        OptionError: the first thing that is wrong.
    """
    if not isinstance(options, Mapping) or not isinstance(options.get(TARGET), str):
        shown = in_message(str(options))
        raise OptionError(prefix, f"{shown} is no {what}, which has a class as its {TARGET}")
    kind_of_plugin = plugin_class(options[TARGET], f"{prefix}.{TARGET}", kind, what)
    parameters = _parameters(kind_of_plugin, forwarded_to)
    for name, value in options.items():
        if name == TARGET:
            continue
        option = f"{prefix}.{name}"
        if name in given:
            raise OptionError(option, "follows from the run's folder and cannot be given")
        if name not in parameters:
            raise _no_such_option(option, name, set(parameters) - set(given))
        check_type(value, parameters[name], option)


def plugin_class(path: str, option: str, kind: type, what: str) -> type:
    """The class of that dotted name.

    Raises:
        OptionError: there is none, or it is of another kind.
    """
    try:
        found = _locate(path)
    except Exception as error:
        raise OptionError(option, f"{in_message(path)!r} cannot be imported") from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise OptionError(option, f"{in_message(path)!r} is no {what}")
    return found


def check_type(value: Any, hint: Any, option: str) -> None:
    """See that a value is of the type of a parameter, where that is one of plain values.

    Raises:
        OptionError: it is not.
    """
    with contextlib.suppress(TypeError):  # what msgspec cannot check is left to the class
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            problem = str(error).replace("`", "").replace(" | ", " or ").partition(" - at ")[0]
            problem = problem[0].lower() + problem[1:]
            if isinstance(value, int | float) and "expected str" in problem:
                problem += f", a text in quotes is typed '{option}=\"{value}\"'"
            raise OptionError(option, f"{in_message(str(value))}: {problem}") from error


@functools.cache
def _parameters(kind: type, forwarded_to: Callable[..., Any] | None) -> dict[str, Any]:
    """The parameters of a class' constructor by name, each with its type.

    What it takes by `**` goes to the constructor of its base class, and from the last of these to
    what they forward it to.
    """
    parameters: dict[str, Any] = {}
    constructors: list[Callable[..., Any]] = [
        base.__dict__["__init__"] for base in kind.__mro__[:-1] if "__init__" in base.__dict__
    ]
    for constructor in [*constructors, *([forwarded_to] if forwarded_to else [])]:
        signature = inspect.signature(constructor).parameters
        hints: dict[str, Any] = {}
        with contextlib.suppress(NameError, TypeError, AttributeError):
            hints = typing.get_type_hints(constructor, include_extras=True)
        for name, parameter in signature.items():
            if name != "self" and parameter.kind not in (
                inspect.Parameter.VAR_KEYWORD,
                inspect.Parameter.VAR_POSITIONAL,
            ):
                parameters.setdefault(name, hints.get(name) or _hint(parameter))
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.values()):
            break
    return parameters


def _hint(parameter: inspect.Parameter) -> Any:
    """The type of a parameter that is known by its annotation alone, or by its default."""
    if parameter.annotation is not inspect.Parameter.empty:
        return Any if isinstance(parameter.annotation, str) else parameter.annotation
    return type(parameter.default) if isinstance(parameter.default, bool | int | float) else Any


def _no_such_option(option: str, name: str, known: Collection[str]) -> OptionError:
    near = difflib.get_close_matches(str(name), sorted(known), n=1)
    if near:
        return OptionError(option, f"no such option, did you mean {near[0]}?")
    there_are = f"there are {', '.join(sorted(known))}" if known else "it takes none"
    return OptionError(option, f"no such option, {there_are}")
