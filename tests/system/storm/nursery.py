"""The product's own nursery, whose children have named points at which they can be made to die."""

import os
import sys
from pathlib import Path

from tandem.wiring import nursery
from tandem.wiring.roles import Plan, run_role
from tests.system.storm import points

FOLDER = "TANDEM_STORM"


def run_hooked(plan: Plan) -> int:
    """Be that process, with its points."""
    file = Path(os.environ[FOLDER]) / f"{plan.name}.order"
    if not file.exists():
        points.make(file)
    points.hook(points.Orders(file))
    return run_role(plan)


if __name__ == "__main__":
    setattr(nursery, "run_role", run_hooked)  # noqa: B010 - it is not offered for this
    sys.exit(nursery.main())
