"""From a bar to the orders of everybody who decides on it: `python -m bench.bars_to_orders FOLDER`.

A real pool on a made-up market: 200 instruments x 50 strategies in their jail, minutes as they end
all at once, 20 times as fast as life. Measured from when the exchange told a candle to when the
desk had released the orders that its decisions wanted, by the journals. Printed as JSON.
"""

import statistics
import sys
from pathlib import Path

import msgspec

from tests.system import fleet

PLAN = fleet.Plan(instruments=200, strategies=50, minutes=10, speed=20, evaluators=2, kills=0)


def main() -> int:
    """Run it and print what was measured."""
    fleet.write = lambda _: None
    found = fleet.run_fleet(PLAN, Path(sys.argv[1]))
    if not found.is_right:
        raise SystemExit(f"{found.lost} decisions lost, {found.repeated} repeated")
    cuts = statistics.quantiles(found.orders_ms, n=100, method="inclusive")
    figures = {"p50": cuts[49], "p99": cuts[98], "decisions": found.decisions}
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
