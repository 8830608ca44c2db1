"""Checks of the options of classes that Hydra instantiates by name, such as `logger.csv.*`.

The constructor of such a class says which options there are, and of which types. Unchecked, a wrong
option would make every run of a sweep fail after it has begun.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import inspect
import pkgutil
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from rnnlm.messages.legible import in_message
from rnnlm.options import OptionError

TARGET = "_target_"


def check_plugin(
    options: Any,
    prefix: str,
    kind: type,
    what: str,
    set_here: Collection[str] = (),
    forwarded_to: Callable[..., Any] | None = None,
) -> None:
    """Check that a class exists, and that its constructor takes the options.

    Args:
        options: the class under `_target_`, and arguments of its constructor.
        prefix: the beginning of the options' names.
        kind: the base class that the class must have.
        what: a word for it, in messages.
        set_here: parameters that this project itself sets.
        forwarded_to: the function that the constructor passes further options on to.

    Raises:
        OptionError: the first thing that is wrong.
    """
    if not isinstance(options, Mapping) or not isinstance(options.get(TARGET), str):
        shown = in_message(str(options))
        raise OptionError(prefix, f"{shown} is no {what}, which has a class as its {TARGET}")
    plugin = plugin_class(options[TARGET], f"{prefix}.{TARGET}", kind, what)
    parameters = _parameters(plugin, forwarded_to)
    for name, value in options.items():
        option = f"{prefix}.{name}"
        if name in set_here:
            raise OptionError(option, "follows from the run's folder and cannot be given")
        if name in parameters:
            check_type(value, parameters[name], option)
        elif name != TARGET:
            known = sorted(set(parameters) - set(set_here))
            near = difflib.get_close_matches(str(name), known, n=1)
            there_are = f"there are {', '.join(known)}" if known else "it takes none"
            hint = f"did you mean {near[0]}?" if near else there_are
            raise OptionError(option, f"no such option, {hint}")


def plugin_class(path: str, option: str, kind: type, what: str) -> type:
    """Return the class of a dotted name.

    Raises:
        OptionError: there is none, or it is of another kind.
    """
    try:
        # Hydra does not know the form `module:class`, which resolve_name takes too.
        found = None if ":" in path else pkgutil.resolve_name(path)
    except Exception as error:
        raise OptionError(option, f"{in_message(path)!r} cannot be imported") from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise OptionError(option, f"{in_message(path)!r} is no {what}")
    return found


def check_type(value: Any, hint: Any, option: str) -> None:
    """Check that a value is of a parameter's type, if msgspec knows that type.

    Raises:
        OptionError: it is not.
    """
    with contextlib.suppress(TypeError):  # the class itself checks what msgspec cannot
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
    """Return the parameters of a class's constructor by name, each with its type.

    A constructor that takes `**options` passes them to the constructor of its base class, and the
    last of these to `forwarded_to`.
    """
    parameters: dict[str, Any] = {}
    constructors = [b.__dict__["__init__"] for b in kind.__mro__[:-1] if "__init__" in b.__dict__]
    for function in [*constructors, *([forwarded_to] if forwarded_to else [])]:
        signature = inspect.signature(function).parameters
        hints: dict[str, Any] = {}
        with contextlib.suppress(NameError, TypeError, AttributeError):
            hints = typing.get_type_hints(function, include_extras=True)
        variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        for name, parameter in signature.items():
            if name != "self" and parameter.kind not in variadic:
                parameters.setdefault(name, hints.get(name) or _hint(parameter))
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.values()):
            break
    return parameters


def _hint(parameter: inspect.Parameter) -> Any:
    """Return a parameter's type as far as its annotation or its default tells it."""
    if parameter.annotation is not inspect.Parameter.empty:
        return Any if isinstance(parameter.annotation, str) else parameter.annotation
    return type(parameter.default) if isinstance(parameter.default, bool | int | float) else Any
