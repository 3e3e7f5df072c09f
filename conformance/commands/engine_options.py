"""The options that say which engine is meant and what it is made of, and the engine that they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from conformance.commands.exits import CouldNotRun, Unusable
from reference_server.engines import plugins
from reference_server.engines.base import CannotStart, Engine, Options
from reference_server.engines.plugins import Group, PluginError
from reference_server.engines.script import ScriptError

_SCRIPTED = "scripted"
_Function = Callable[..., Any]


def engine_options(default: str) -> Callable[[_Function], _Function]:
    """Return what adds `--engine`, `--model` and `--part`."""
    options = (
        click.option(
            "--engine",
            metavar="[scripted|local|NAME]",
            default=default,
            show_default=True,
            callback=_engine,
            help="Who listens: one of ours, or another one that is installed.",
        ),
        click.option(
            "--model",
            "models",
            multiple=True,
            metavar="PART=DIR",
            callback=_models,
            help="Have a part load its model from this folder.",
        ),
        click.option(
            "--part", "parts", multiple=True, metavar="NAME", callback=_parts, help="Use only this part; repeatable."
        ),
    )

    def add(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def make_engine(given: Mapping[str, Any]) -> Engine:
    """Return the engine that these options, and `script` if there is one, describe. It is not started yet."""
    name, options = given["engine"], Options(given.get("script"), given["models"], given["parts"])
    if options.script is not None and name != _SCRIPTED:
        raise click.UsageError(f"--script is for the engine '{_SCRIPTED}', not for '{name}'")
    if (options.models or options.parts) and name == _SCRIPTED:
        raise click.UsageError(f"--model and --part are not for the engine '{_SCRIPTED}': it has no parts")
    left_out = sorted(options.models.keys() - set(options.parts or options.models))
    if left_out:
        raise click.UsageError(f"--model {left_out[0]}=…: of the parts that --part names it is none")
    try:
        engine: Engine = plugins.make(Group.ENGINE, name, options, (CannotStart, ScriptError))
    except (PluginError, CannotStart) as error:
        raise CouldNotRun(str(error)) from error
    except ScriptError as error:
        raise Unusable(str(error)) from error
    return engine


def _engine(_: click.Context, __: click.Parameter, name: str) -> str:
    return _known(Group.ENGINE, name)


def _parts(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_known(Group.PART, name) for name in names)


def _models(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> Mapping[str, Path]:
    models = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals:
            raise click.BadParameter(f"expected PART=DIR, got '{text}'")
        path = Path(folder)
        if not path.is_dir():
            raise click.BadParameter(f"expected a folder behind '{name}=', got '{folder}'")
        models[_known(Group.PART, name)] = path
    return models


def _known(group: Group, name: str) -> str:
    """Return a name, or complain: that is found out before anything else is done."""
    try:
        return plugins.known(group, name)
    except PluginError as error:
        raise click.BadParameter(str(error)) from error
