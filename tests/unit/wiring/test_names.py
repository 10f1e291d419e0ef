"""Names that nobody else has."""

import re

from tandem.cli.share_list_run import NAME
from tandem.wiring.names import fresh_command, fresh_name, now_ns


def test_names_can_be_typed_again_and_do_not_repeat() -> None:
    names = [fresh_name("list") for _ in range(20)]
    assert len(dict.fromkeys(names)) > 15  # four letters of chance within one second
    assert all(re.fullmatch(r"list-\d{8}-\d{6}-[0-9a-f]{4}", one) for one in names)
    assert all(NAME.fullmatch(one) for one in names)
    assert fresh_command("stop").startswith("stop-")
    assert now_ns() <= now_ns()


def test_thousands_of_commands_in_one_second_have_ids_of_their_own() -> None:
    ids = [fresh_command("drill") for _ in range(5_000)]
    assert len(dict.fromkeys(ids)) == len(ids)
