"""Other computers: certificates, join tokens, TLS 1.3, and finding a pool on the LAN.

What makes certificates needs the package `cryptography`, what finds pools needs `zeroconf`; both
come with the extra `lan` and are imported when they are used and not before. A worker that has
its certificate needs neither.
"""
