"""This computer: its clocks, disk, Unix sockets and processes, as the ports ask for them.

Linux only: boot time, flock, fdatasync, peer credentials and pidfds have no equal elsewhere.
"""

import sys

from tandem.domain.errors import ConfigurationError

if sys.platform != "linux":
    raise ConfigurationError(f"this system is {sys.platform}, and Tandem runs on Linux")
