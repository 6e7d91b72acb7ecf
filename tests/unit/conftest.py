"""How generated tests run: without a deadline, since a busy machine is no bug."""

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
