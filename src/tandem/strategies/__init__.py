"""Strategies that come with Tandem, as text under a number; the pool is given them at set-up."""

from typing import Final

from tandem.domain.bundle import Strategy

SHARE_LIST: Final = Strategy(
    number=1,
    name="share list",
    text="""\
-- Trades a list of orders, one a line, in the order of its lines.
-- SYMBOL side number TARGET: ALL splits the number over every worker, EACH gives every worker
-- the whole, names of workers split it over those. All pieces of a line leave together.
for line in lines(list) do
  order(line.side, line.symbol, line.number, line.target)
end
""",
)


def built_in() -> tuple[Strategy, ...]:
    """Return them by rising number, from 1."""
    return (SHARE_LIST,)
