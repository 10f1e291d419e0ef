"""Looking again."""

from tandem.wiring.polling import poll


async def test_the_first_that_is_enough_is_returned() -> None:
    seen = iter(range(10))

    async def look() -> int:
        return next(seen)

    assert await poll(look, lambda one: one >= 3, every_s=0) == 3
    assert next(seen) == 4
