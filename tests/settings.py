"""Settings of the test suite: the product's own, pointed at the databases of this run."""

import os

from tests.database import environment

os.environ.update(environment())

from vocelio.settings import *  # noqa: F403

# Argon2 is slow on purpose; tests make many users.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# No test serves static files.
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]  # noqa: F405
