"""A feed that has nothing to do looks again soon at first, then more and more seldom."""

from goodfunds.lanes.feed import rest_after


def test_what_follows_from_a_step_is_looked_for_soon_and_a_quiet_world_seldom() -> None:
    idle = 0.3
    rests = [rest_after(still, idle) for still in (0.0, 0.04, 0.4, 1.0, 1.2, 3600.0)]
    assert rests == [0.02, 0.02, 0.1, 0.25, 0.3, 0.3]


def test_nothing_is_waited_for_longer_than_a_quarter_of_the_time_it_took_or_than_when_idle() -> None:
    waited, still, idle = 0.0, 0.0, 0.3
    while still < 10.0:
        waited = rest_after(still, idle)
        assert waited <= max(still / 4, 0.02)
        still += waited
    assert waited == idle


def test_a_feed_that_is_told_to_look_often_never_rests_longer() -> None:
    assert rest_after(0.0, 0.001) == rest_after(60.0, 0.001) == 0.001
