"""Certificates of a pool and of one machine, for a measurement over TLS."""

from pathlib import Path


def certify(folder: Path) -> None:
    """Put a pool's certificates and those of a machine into the folder; it is let in."""
    # The child does not need what makes certificates.
    from tandem.adapters.lan.authority import new_key, request_for, take_authority
    from tandem.adapters.lan.machines import Machine, Machines
    from tandem.wiring.gate import utc_s

    authority = take_authority(folder, utc_s())
    authority.certify_server(utc_s())
    key = new_key()
    signed = authority.sign(request_for(key, "bench"), name="bench", now_s=utc_s())
    (folder / "machine.key").write_bytes(key)
    (folder / "machine.crt").write_bytes(signed.certificate)
    Machines(folder).add(
        Machine(
            name="bench",
            key=signed.key,
            serials=(signed.serial,),
            joined_s=utc_s(),
            expires_s=signed.expires_s,
        )
    )
