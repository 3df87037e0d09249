"""Vocelio's settings with DRF's own defaults, no authentication, one middleware: all in favour of the stock way."""

from vocelio.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.stock.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
