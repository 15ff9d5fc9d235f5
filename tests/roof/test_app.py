"""How the roof puts the rooms together."""

from types import ModuleType

import pytest
from flask import Flask

from regsys.app import _set_up


@pytest.mark.once
def test_two_rooms_cannot_give_templates_the_same_word(app: Flask) -> None:
    room = ModuleType("regsys.other.setup")
    room.register = lambda app: app.jinja_env.globals.update(need_name=str)  # type: ignore[attr-defined]
    with pytest.raises(
        RuntimeError, match=r"regsys\.other\.setup gives templates another need_name"
    ):
        _set_up(app, room)
