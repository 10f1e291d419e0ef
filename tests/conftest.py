"""Settings shared by all tests."""

from hypothesis import settings

# `check` draws the same examples on every machine, so that a commit that passed here passes
# everywhere. `wide` searches: pytest --hypothesis-profile=wide.
settings.register_profile("check", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("wide", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("check")
