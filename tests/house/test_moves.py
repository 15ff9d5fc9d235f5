"""Every move of every table of states is taken by a test, and here stands by which.

Those of money and places are taken by one story (tests/payments/test_storm.py), which fails where one was not taken;
the others by the tests that are named here.
"""

from regsys.kernel.db import Base
from tests.house.tree import Tree
from tests.payments.storm import list_edges

Edge = tuple[str, str, str]
TAKEN = """
Application applications/test_deciding.py
    submitted under_review test_asked_back_it_is_submitted_again_and_waits_for_the_answer
Application applications/test_public.py
    submitted withdrawn test_an_application_is_withdrawn_by_one_button_on_a_page
    under_review submitted test_a_change_after_sending_opens_the_review_again
Application applications/test_deciding.py
    under_review accepted test_accepted_a_place_is_held_with_everything_that_was_answered
    under_review declined test_who_waits_is_told_when_the_event_is_called_off
Application applications/test_public.py
    under_review withdrawn test_an_application_is_withdrawn_by_one_button_on_a_page
Entry waitlist/test_services.py
    waiting offered test_a_place_that_comes_free_goes_to_the_first_in_line
Entry waitlist/test_public.py
    waiting left test_one_joins_sees_how_it_stands_and_leaves
Entry waitlist/test_services.py
    offered taken test_a_place_that_comes_free_goes_to_the_first_in_line
    offered lapsed test_what_nobody_answers_goes_to_the_next
    offered left test_a_no_frees_the_place_at_once
    lapsed offered test_a_lapsed_offer_can_be_made_again_by_hand
Event events/test_organizer.py
    draft published test_publish_close_reopen_and_hide
Event events/test_services.py
    draft cancelled test_a_cancelled_event_stays_cancelled
    published closed test_the_moves_of_an_event
    published draft test_the_moves_of_an_event
    published cancelled test_an_event_is_cancelled_once_nobody_holds_a_place
    closed published test_the_moves_of_an_event
    closed cancelled test_a_cancelled_event_stays_cancelled
Message outbox/test_jobs.py
    queued sending test_a_letter_is_sent_once_with_its_links_and_forgets_them
    sending sent test_a_letter_is_sent_once_with_its_links_and_forgets_them
    sending queued test_4xx_is_tried_again_on_schedule_and_fails_after_the_tenth_time
    sending failed test_5xx_fails_at_once_and_says_what_the_server_said
    sending uncertain test_a_cut_after_the_body_is_uncertain_and_never_resent_by_itself
Message outbox/test_organizer.py
    uncertain sent test_an_uncertain_letter_that_has_arrived_is_settled
    uncertain queued test_an_uncertain_letter_is_sent_once_more_by_one_click
Message outbox/test_jobs.py
    failed queued test_retry_sends_a_failed_letter_again_by_a_new_job
Job jobs/test_worker.py
    ready done test_what_is_due_is_done_once_in_order
    ready dead test_after_eight_failures_a_job_is_dead_and_seen
    dead ready test_after_eight_failures_a_job_is_dead_and_seen
Invoice billing/test_invoices.py
    open paid test_a_place_is_confirmed_at_once_and_paid_by_two_cheques
    paid open test_a_mistake_is_taken_back_within_two_weeks
    open cancelled test_a_held_place_is_confirmed_by_the_cheque_or_let_go_at_the_end
    open written_off test_what_will_not_come_is_written_off_and_what_was_wrong_is_made_out_anew
AidRequest aid/test_help.py
    asked awarded test_an_award_lowers_the_price_and_keeps_the_place_until_it_is_used_or_goes_back
    asked declined test_all_of_the_fee_confirms_at_once_and_a_no_leaves_time_to_pay
    asked withdrawn test_what_is_not_claimed_goes_back_and_late_money_pays_the_whole_fee
    awarded used test_an_award_lowers_the_price_and_keeps_the_place_until_it_is_used_or_goes_back
    awarded returned test_what_is_not_claimed_goes_back_and_late_money_pays_the_whole_fee
    used returned test_an_award_lowers_the_price_and_keeps_the_place_until_it_is_used_or_goes_back
SeatRequest hosts/test_services.py
    waiting approved test_people_ask_and_the_coordinator_decides_once
    waiting declined test_people_ask_and_the_coordinator_decides_once
"""


def read_taken() -> dict[Edge, tuple[str, str]]:
    """Read the table above: which test (file, name) takes which move."""
    found: dict[Edge, tuple[str, str]] = {}
    model = file = ""
    for line in TAKEN.strip().splitlines():
        if line.startswith(" "):
            old, new, name = line.split()
            found[model, old, new] = (file, name)
        else:
            model, file = line.split()
    return found


def list_moves() -> set[Edge]:
    """List every move of every table."""
    models = [m.class_ for m in Base.registry.mappers if hasattr(m.class_, "MOVES")]
    return {(m.__name__, f, t) for m in models for f, tos in m.MOVES.items() for t in tos}


def test_every_move_is_taken_by_the_story_or_by_a_test_that_is_named() -> None:
    moves, named = list_moves() - list_edges(), set(read_taken())
    new = [f"{m}: {f} → {t} is new: say above which test takes it" for m, f, t in moves - named]
    assert new + [f"{m}: {f} → {t} is no move" for m, f, t in named - moves] == []


def test_the_tests_that_are_named_are_there(house: Tree) -> None:
    named = set(read_taken().values())
    texts = {file: (house.root / "tests" / file).read_text() for file, _ in named}
    assert [name for file, name in sorted(named) if f"def {name}(" not in texts[file]] == []
