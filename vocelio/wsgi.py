"""REST and admin, as WSGI: synchronous Django under its own ASGI handler costs 2 to 4.5 times as much."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
application = get_wsgi_application()
# What is loaded by now stays. Looked through at each full collection it stopped some request for a quarter of a second;
# and looked through every 700 objects, a request that makes many spends a tenth of its time on garbage it has not.
import_module(settings.ROOT_URLCONF)
gc.freeze()
gc.set_threshold(20_000, 20, 20)
