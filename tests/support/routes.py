"""Routes that are compiled once: each test makes an app, and two thirds of that is compiling the same addresses."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import Flask
from werkzeug.routing import Rule


class RememberedRule(Rule):
    """A rule that shares what it is compiled to with the same rule of another app.

    That depends on nothing but what is the key here; a builder is told which rule it works for.
    """

    _compiled: ClassVar[dict[Any, dict[str, Any]]] = {}
    _builders: ClassVar[dict[Any, Callable[..., tuple[str, str]]]] = {}

    def compile(self) -> None:
        key = (self.rule, self.subdomain, self.host, repr(self.defaults), self.merge_slashes)
        if key not in self._compiled:
            super().compile()
            names = ("_parts", "_trace", "_converters", "arguments", "_argument_weights")
            self._compiled[key] = {n: vars(self)[n] for n in names if n in vars(self)}
            return
        vars(self).update(self._compiled[key])
        self._build = self._compile_builder(False).__get__(self, None)
        self._build_unknown = self._compile_builder(True).__get__(self, None)

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


def compile_routes_once() -> None:
    """Make every Flask app of this process use it."""
    Flask.url_rule_class = RememberedRule
