"""`tandem replay`: a journal, done again from its first record."""

import sys
from typing import Literal, TextIO

from tandem.cli.calling import HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.printing import write_json
from tandem.wiring.home import Home
from tandem.wiring.journals import journals_of, replay_journal

app = new_app()
PROGRESS_RECORDS = 50_000


@app.command
def replay(
    journal: Literal["coordinator", "exchange", "decisions", "all"] = "all",
    *,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Replay a journal from its first record, and compare every effect byte for byte.

    Args:
        journal: Whose journal.
        home: Where journals and sockets are.
        json: Print JSON.
    """

    async def act() -> int:
        place = home_of(home)
        names = journals_of(place) if journal == "all" else (journal,)
        return replay_journals(place, names, sys.stdout, as_json=json)

    return finish(act)


def replay_journals(home: Home, names: tuple[str, ...], out: TextIO, *, as_json: bool) -> int:
    """Replay journals and write what they did; return the exit code.

    Raises:
        ReplayMismatchError: an event gives other effects than those recorded with it.
        JournalCorruptError: something changed after it was durable; names the place.
    """

    def progress(count: int) -> None:
        if count % PROGRESS_RECORDS == 0:
            sys.stderr.write(f"{count} records\n")

    found = {name: replay_journal(home, name, progress) for name in names}
    if as_json:
        write_json(found, out)
        return OK
    for name, one in found.items():
        out.write(f"{name}: {one.records} records gave the same effects, byte for byte\n")
        for label, counts in (("events", one.events), ("effects", one.effects)):
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
            out.write(f"  {label}: {kinds or 'none'}\n")
        out.write(f"  state at the end: sha256 {one.state_hash}\n")
    return OK
