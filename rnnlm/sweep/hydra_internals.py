"""Composing the configurations of a grid's cells, which share most of what they are made of."""

from __future__ import annotations

import copy
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict


class Composer:
    """Composes cells as Hydra would, without the node that is Hydra's own.

    Hydra chooses among the groups first and sets single options after, so what cells with the same
    choices have in common is composed once, and the options are set on a copy of it: a tenth of the
    time where a grid has many seeds or sizes.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self._loader = loader
        self._master = master
        self._parser = OverridesParser.create(config_loader=loader)
        # Of each override that has come up what it sets, unless it chooses from a group.
        self._options: dict[str, Override | None] = {}
        self._by_choices: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The configuration of the cell with these overrides.

        Raises:
            HydraException, OmegaConfBaseException: an override cannot be parsed or does not fit.
        """
        choices, options = [], []
        for text in overrides:
            if text not in self._options:
                (override,) = self._parser.parse_overrides([text])
                self._options[text] = override if self._sets_an_option(override) else None
            if option := self._options[text]:
                options.append(option)
            else:
                choices.append(text)
        key = tuple(choices)
        if key not in self._by_choices:
            composed = self._loader.load_sweep_config(self._master, choices)
            with open_dict(composed):
                del composed["hydra"]
            self._by_choices[key] = composed
        composed = copy.deepcopy(self._by_choices[key])
        ConfigLoaderImpl._apply_overrides_to_config(options, composed)
        return composed

    def _sets_an_option(self, override: Override) -> bool:
        """Whether it does nothing but set an option that is there."""
        if override.is_add() or override.is_force_add() or override.is_delete() or override.package:
            return False
        return not self._loader.get_group_options(override.key_or_group)


# The command line.

HydraApp: TypeAlias = Hydra


def argument_parser() -> ArgumentParser:
    """Return the parser of Hydra's own flags."""
    return get_args_parser()


def searching_first_in(folder: Path, loader: ConfigLoader) -> ConfigLoader:
    """Return a loader that looks for configurations in a folder before it looks elsewhere."""
    search_path = loader.get_search_path()
    anchor = SearchPathQuery(provider="schema")
    search_path.prepend("command-line", f"file://{folder.absolute()}", anchor)
    return ConfigLoaderImpl(search_path)
