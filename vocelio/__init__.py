"""The kernel: tenancy, users, access, audit, API conventions, jobs and realtime, each expressed once.

Imports no app. Open `organizations/scope.py` first: everything else happens inside an organization scope.
"""

from vocelio.celery import app as celery_app

__all__ = ["celery_app"]
