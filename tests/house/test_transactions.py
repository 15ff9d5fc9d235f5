"""Only a door opens a transaction; only the kernel commits; the network stays outside."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from regsys.kernel.db import forbid_in_transaction, transaction
from regsys.outbox import smtp
from regsys.payments import gateway
from tests.house.laws import transactions
from tests.house.tree import Tree


@pytest.mark.parametrize(
    "law",
    [
        transactions.list_commits,
        transactions.list_transactions_outside_doors,
        transactions.list_unguarded_network,
    ],
)
def test_the_house_keeps(law: Callable[[Tree], list[str]], house: Tree) -> None:
    assert law(house) == []


@pytest.mark.parametrize("call", ["db.session.commit()", "session.begin()", "c.begin_nested()"])
def test_a_planted_commit_is_caught(call: str, planted: Callable[..., Tree]) -> None:
    (found,) = transactions.list_commits(planted({"regsys/events/organizer.py": call}))
    assert found.startswith("regsys/events/organizer.py:1 calls ")


@pytest.mark.parametrize("file", ["services.py", "services/placing.py", "rules.py", "mail.py"])
@pytest.mark.parametrize("call", ["transaction()", "db.transaction()"])
def test_a_planted_transaction_outside_of_a_door_is_caught(
    file: str, call: str, planted: Callable[..., Tree]
) -> None:
    tree = planted({f"regsys/events/{file}": f"with {call}:\n    pass"})
    assert transactions.list_transactions_outside_doors(tree) == [
        f"regsys/events/{file}:1 opens a transaction: only doors may"
    ]


@pytest.mark.parametrize("file", ["events/public.py", "events/organizer/pages.py", "worker.py"])
def test_a_door_may_open_a_transaction(file: str, planted: Callable[..., Tree]) -> None:
    tree = planted({f"regsys/{file}": "with transaction():\n    pass"})
    assert transactions.list_transactions_outside_doors(tree) == []


def test_a_planted_gateway_that_does_not_ask_is_caught(planted: Callable[..., Tree]) -> None:
    tree = planted({"regsys/payments/gateway.py": "import stripe"})
    assert transactions.list_unguarded_network(tree) == [
        "regsys/payments/gateway.py:1 never calls forbid_in_transaction()"
    ]


@pytest.mark.parametrize("module", [gateway, smtp], ids=lambda m: m.__name__)
def test_the_network_refuses_to_be_used_inside_a_transaction(module: ModuleType, db: Any) -> None:
    with transaction():
        assert transactions.list_that_run_inside(module) == []


def test_a_planted_call_inside_a_transaction_is_caught(db: Any) -> None:
    planted = ModuleType("planted")

    def careless(letter: object, *, key: str) -> None: ...
    def crashing(letter: object) -> None:
        len(letter)  # type: ignore[arg-type]

    def careful(letter: object) -> None:
        forbid_in_transaction("sending")

    for function in (careless, crashing, careful):
        function.__module__ = "planted"
        setattr(planted, function.__name__, function)
    with transaction():
        assert transactions.list_that_run_inside(planted) == [
            "planted.careless() ran inside a transaction",
            "planted.crashing() went as far as TypeError",
        ]
