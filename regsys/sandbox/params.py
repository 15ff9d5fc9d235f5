"""What a request may say: form decoding, and one strict reader per kind of value."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from regsys.sandbox.errors import StripeError

Tree = dict[str, Any]


class Kind(Protocol):
    """Reads one value out of strings, or raises StripeError."""

    def read(self, value: Any, at: str) -> Any:
        """Return the typed value of the parameter `at`."""


def decode(pairs: Iterable[tuple[str, str]]) -> Tree:
    """Return `a[b][0]=x` as nested dicts; an array stays a dict until a Kind says otherwise."""
    root: Tree = {}
    for key, value in pairs:
        node = root
        *path, last = _steps(key)
        for step in path:
            node = node.setdefault(step or str(len(node)), {})
            if not isinstance(node, dict):
                raise StripeError(f"Invalid parameter: {key} is both a value and a hash", param=key)
        last = last or str(len(node))
        if last in node:
            raise StripeError(f"The parameter {key} was given twice", param=key)
        node[last] = value
    return root


def _steps(key: str) -> list[str]:
    match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", key)
    if match is None:
        raise StripeError(f"Malformed parameter name: {key}", param=key)
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _flat(value: Any, at: str, wanted: str) -> str:
    if isinstance(value, str):
        return value
    raise StripeError(f"Invalid {wanted}: {at} is a hash", code="parameter_invalid", param=at)


def _refuse(message: str, at: str, code: str | None = None) -> StripeError:
    return StripeError(message, code=code, param=at)


@dataclass(frozen=True)
class Text:
    """A string; an empty one is refused as Stripe refuses it."""

    most: int = 5000
    choices: tuple[str, ...] = ()
    shape: str = ""

    def read(self, value: Any, at: str) -> str:
        """Return the string."""
        text = _flat(value, at, "string")
        if not text:
            raise _refuse(
                f"You passed an empty string for '{at}'. We assume empty values are an attempt to "
                f"unset a parameter; however '{at}' cannot be unset.", at, "parameter_invalid_empty",
            )  # fmt: skip
        if len(text) > self.most:
            raise _refuse(
                f"Invalid string: {at} must be at most {self.most} characters, and has {len(text)}",
                at,
            )
        if self.choices and text not in self.choices:
            raise _refuse(f"Invalid {at}: must be one of {', '.join(self.choices)}", at)
        if self.shape and not re.fullmatch(self.shape, text):
            raise _refuse(f"Invalid {at}: {text[:80]}", at)
        return text


@dataclass(frozen=True)
class Url:
    """An absolute http(s) address."""

    def read(self, value: Any, at: str) -> str:
        """Return the address."""
        text = _flat(value, at, "string")
        if not re.fullmatch(r"https?://[^/\s]+\S*", text):
            raise _refuse("Not a valid URL", at, "url_invalid")
        return text


@dataclass(frozen=True)
class Email:
    """An e-mail address."""

    def read(self, value: Any, at: str) -> str:
        """Return the address."""
        text = _flat(value, at, "string")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
            raise _refuse(f"Invalid email address: {text}", at, "email_invalid")
        return text


@dataclass(frozen=True)
class Int:
    """A whole number between two bounds."""

    low: int = -(10**12)
    high: int = 10**12

    def read(self, value: Any, at: str) -> int:
        """Return the number."""
        text = _flat(value, at, "integer")
        if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
            raise _refuse(f"Invalid integer: {text}", at, "parameter_invalid_integer")
        if not self.low <= int(text) <= self.high:
            raise _refuse(
                f"This value must be between {self.low} and {self.high}",
                at,
                "parameter_invalid_integer",
            )
        return int(text)


@dataclass(frozen=True)
class Bool:
    """`true` or `false`, and nothing else."""

    only: bool | None = None

    def read(self, value: Any, at: str) -> bool:
        """Return the truth; `only` names the one answer that the stand-in can play."""
        text = _flat(value, at, "boolean")
        if text not in {"true", "false"}:
            raise _refuse(f"Invalid boolean: {text}", at)
        if self.only is not None and (text == "true") != self.only:
            raise _refuse(f"The stand-in does not play {at}={text}", at)
        return text == "true"


@dataclass(frozen=True)
class Metadata:
    """Free strings under free names."""

    def read(self, value: Any, at: str) -> dict[str, str]:
        """Return the names and values, within Stripe's limits."""
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise _refuse(f"Invalid hash: {at}", at)
        if len(value) > 50:
            raise _refuse(f"Metadata can have at most 50 keys; {at} has {len(value)}", at)
        for name, text in value.items():
            self._check(name, _flat(text, f"{at}[{name}]", "string"), at)
        return dict(value)

    @staticmethod
    def _check(name: str, text: str, at: str) -> None:
        if len(name) > 40:
            raise _refuse(f"Metadata keys can have up to 40 characters: {name}", f"{at}[{name}]")
        if len(text) > 500:
            raise _refuse("Metadata values can have up to 500 characters", f"{at}[{name}]")


@dataclass(frozen=True)
class Many:
    """An array with indices 0..n-1."""

    item: Kind
    most: int = 100

    def read(self, value: Any, at: str) -> list[Any]:
        """Return the items in order."""
        if not isinstance(value, dict) or not all(k.isdigit() for k in value):
            raise _refuse(f"Invalid array: {at}", at)
        if len(value) > self.most:
            raise _refuse(f"Array too long: {at} may have at most {self.most} items", at)
        if sorted(map(int, value)) != list(range(len(value))):
            raise _refuse(f"Invalid array: the indices of {at} have gaps", at)
        return [self.item.read(value[k], f"{at}[{k}]") for k in sorted(value, key=int)]


@dataclass(frozen=True)
class Hash:
    """Named parameters; an unknown one is refused.

    `unplayed` are names that Stripe knows and the stand-in does not: refused too, with words of their own.
    """

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    unplayed: frozenset[str] = field(default_factory=frozenset)

    def read(self, value: Any, at: str = "") -> dict[str, Any]:
        """Return the parameters that were given."""
        if not isinstance(value, dict):
            raise _refuse(f"Invalid hash: {at}", at)
        for name in value:
            self._known(name, _join(at, name))
        for name in self.required:
            if name not in value:
                full = _join(at, name)
                raise _refuse(f"Missing required param: {full}.", full, "parameter_missing")
        return {name: self.fields[name].read(v, _join(at, name)) for name, v in value.items()}

    def _known(self, name: str, full: str) -> None:
        if name in self.unplayed:
            raise _refuse(f"The stand-in does not play the parameter: {full}", full)
        if name not in self.fields:
            raise _refuse(f"Received unknown parameter: {full}", full, "parameter_unknown")


@dataclass(frozen=True)
class Either:
    """A hash, or a plain value."""

    hash: Hash
    plain: Kind

    def read(self, value: Any, at: str) -> Any:
        """Return whichever was given."""
        return (self.hash if isinstance(value, dict) else self.plain).read(value, at)


def _join(at: str, name: str) -> str:
    return f"{at}[{name}]" if at else name
