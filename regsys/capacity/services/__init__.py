"""Taking and freeing places: the one room where anything scarce is taken, in one way."""

from regsys.capacity.services.claims import (
    claim,
    claim_up_to,
    extend,
    hold,
    let_go,
    lock_pools,
    pass_on,
    release,
    release_lapsed,
)
from regsys.capacity.services.counting import (
    count_in,
    counted,
    counts,
    set_aside,
    use_waits,
)
from regsys.capacity.services.pools import (
    admit,
    make_pool,
    note_waiting,
    resize_pool,
    size_pool,
    unsize_pool,
)

__all__ = [
    "admit",
    "claim",
    "claim_up_to",
    "count_in",
    "counted",
    "counts",
    "extend",
    "hold",
    "let_go",
    "lock_pools",
    "make_pool",
    "note_waiting",
    "pass_on",
    "release",
    "release_lapsed",
    "resize_pool",
    "set_aside",
    "size_pool",
    "unsize_pool",
    "use_waits",
]
