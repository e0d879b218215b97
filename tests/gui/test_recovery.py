from __future__ import annotations

import itertools

from gui.watch import PAUSES_S, STABLE_S, Recovery


def test_a_lost_camera_is_restarted_at_once() -> None:
    recovery = Recovery()
    assert recovery.look("live", False, now=0.0) == "fine"
    assert recovery.look("lost", False, now=1.0) == "restart"


def test_while_it_is_being_restarted_nothing_more_is_done() -> None:
    recovery = Recovery()
    recovery.look("lost", False, now=0.0)
    assert recovery.look("lost", True, now=0.4) == "wait"
    assert recovery.look("opening", True, now=0.8) == "wait"


def test_when_it_is_back_that_is_told_once() -> None:
    recovery = Recovery()
    recovery.look("lost", False, now=0.0)
    assert recovery.look("live", False, now=1.0) == "back"
    assert recovery.look("live", False, now=1.4) == "fine"


def test_a_camera_that_stays_lost_is_tried_with_growing_pauses_and_given_up_once() -> None:
    recovery, log, now = Recovery(), [], 0.0
    while now < 60.0:
        log.append((now, recovery.look("lost", False, now=now)))
        now += 0.5
    restarts = [at for at, what in log if what == "restart"]
    assert len(restarts) == len(PAUSES_S)
    gaps = [b - a for a, b in itertools.pairwise(restarts)]
    assert gaps == sorted(gaps)
    assert [what for _, what in log].count("give up") == 1
    assert log[-1][1] == "wait"


def test_the_operators_wish_starts_the_tries_anew() -> None:
    recovery, now = Recovery(), 0.0
    while not recovery.gave_up:
        recovery.look("lost", False, now=now)
        now += 0.5
    recovery.reset()
    assert recovery.look("lost", False, now=now + 20) == "restart"


def test_a_camera_that_was_well_for_long_has_a_clean_record() -> None:
    recovery = Recovery()
    recovery.look("lost", False, now=0.0)
    recovery.look("live", False, now=1.0)
    recovery.look("live", False, now=1.0 + STABLE_S)
    assert recovery.attempts == 0


def test_a_camera_that_keeps_dying_does_not_get_a_clean_record() -> None:
    recovery = Recovery()
    for round_ in range(3):
        recovery.look("lost", False, now=20.0 * round_)
        recovery.look("lost", False, now=20.0 * round_ + max(PAUSES_S))
        recovery.look("live", False, now=20.0 * round_ + max(PAUSES_S) + 1)
        recovery.look("live", False, now=20.0 * round_ + max(PAUSES_S) + STABLE_S)
    assert recovery.attempts == 4  # two in the first round, then one a round
