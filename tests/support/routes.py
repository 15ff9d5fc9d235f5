"""Routes that are compiled once: each test makes an app, and two thirds of that is compiling the same addresses."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import Flask
from werkzeug.routing import Rule


class RememberedRule(Rule):
    """A rule that shares its compiled address builder with the same rule of another app.

    The builder reads nothing but what is its key here, and takes the rule that it works for as an argument.
    """

    _builders: ClassVar[dict[Any, Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


def compile_routes_once() -> None:
    """Make every Flask app of this process use it."""
    Flask.url_rule_class = RememberedRule
