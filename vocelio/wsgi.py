"""REST and admin, as WSGI: synchronous Django under its own ASGI handler costs 2 to 4.5 times as much."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
application = get_wsgi_application()
