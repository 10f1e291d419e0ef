"""The product's own command, whose pools are forked from the nursery of a storm.

However often their processes are killed by others, its supervisors go on.
"""

from tandem.cli.main import main
from tandem.wiring import machine, nursing, supervisor

if __name__ == "__main__":
    nursing.NURSERY = "tests.system.storm.nursery"
    for module in (supervisor, machine):
        setattr(module, "KILLS_MAX", 1_000_000)  # noqa: B010 - they hold it as final
    main()
