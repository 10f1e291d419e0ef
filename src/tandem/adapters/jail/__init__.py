"""Processes in which strategies of others are evaluated, and out of which nothing gets.

A parent process has everything imported and forks one child for each tenant. Linux only: the
fences are the kernel's own (seccomp, resource limits, no_new_privs).
"""

from tandem.adapters.jail.forking import ForkingJail
from tandem.adapters.jail.parent import Mode

__all__ = ["ForkingJail", "Mode"]
