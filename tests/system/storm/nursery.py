"""The product's own nursery, whose children have named points at which they can be made to die.

Its exchange tells its candles badly.
"""

import os
import sys
from pathlib import Path

from tandem.wiring import nursery
from tandem.wiring.roles import Plan, Role, run_role
from tests.system.storm import feed, points

FOLDER = "TANDEM_STORM"


def run_hooked(plan: Plan) -> int:
    """Be that process, with its points."""
    folder = Path(os.environ[FOLDER])
    file = folder / f"{plan.name}.order"
    if not file.exists():
        points.make(file)
    points.hook(points.Orders(file))
    if plan.role is Role.EXCHANGE:
        feed.hook(folder)
    return run_role(plan)


if __name__ == "__main__":
    setattr(nursery, "run_role", run_hooked)  # noqa: B010 - it is not offered for this
    sys.exit(nursery.main())
