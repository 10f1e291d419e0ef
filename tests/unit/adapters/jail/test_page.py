"""The control page."""

import os

from tandem.adapters.jail.page import LATE_AT, RUNNING_AT, ControlPage, new_page


def test_both_sides_see_one_page_and_its_descriptor_is_not_needed_any_more() -> None:
    descriptor = new_page()
    ours, theirs = ControlPage(descriptor), ControlPage(descriptor)
    os.close(descriptor)
    assert ours.running is None
    assert not theirs.is_late
    theirs.running = 70_000
    ours.is_late = True
    assert ours.running == 70_000
    assert theirs.is_late
    theirs.running = None
    ours.is_late = False
    assert ours.running is None
    assert not theirs.is_late


def test_the_layout_is_that_which_engines_know() -> None:
    descriptor = new_page()
    page = ControlPage(descriptor)
    os.close(descriptor)
    page.running = 258
    page.is_late = True
    assert page.memory[LATE_AT] == 1
    assert page.memory[RUNNING_AT : RUNNING_AT + 4] == b"\x02\x01\0\0"
