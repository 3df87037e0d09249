"""Settings of every installation; only environment variables differ between a laptop and production."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from vocelio.api.enum_names import ENUM_NAMES
from vocelio.backoffice.theme import theme
from vocelio.embedded.state import read_state
from vocelio.schedules import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent


def env_flag(name: str, default: bool = False) -> bool:
    """Read an on/off variable; anything but 1/0, true/false, yes/no, on/off is refused."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if value == "" else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}")


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


DEBUG = env_flag("DEBUG")
VOCELIO_DATA = Path(os.environ.get("VOCELIO_DATA") or BASE_DIR / ".vocelio").resolve()
# What bin/up found or made: server URLs and keys. Environment variables win.
STATE = read_state(VOCELIO_DATA)


def secret(name: str) -> str:
    """A secret of at least 32 characters from the environment or bin/up's key file; DEBUG alone may go without."""
    value = os.environ.get(name) or STATE.get(name, "")
    if len(value) >= 32:
        return value
    if DEBUG and not value:
        return f"insecure-{name.lower()}-for-debug-only-0123456789"
    raise ImproperlyConfigured(f"{name} must be set to at least 32 random characters (DEBUG is off)")


SECRET_KEY = secret("SECRET_KEY")
JWT_SECRET = secret("JWT_SECRET")
# Older ones, accepted for reading while processes change over; unsubscribe links in sent mails live as long as these.
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
JWT_SECRET_FALLBACKS = env_list("JWT_SECRET_FALLBACKS")
# Comma-separated, newest first; a second one is accepted for reading while keys are rotated.
MASTER_KEYS = secret("MASTER_KEYS").split(",")


def duration(name: str, default: str) -> int:
    """Seconds from `3600`, `60m`, `24h` or `7d`."""
    value = os.environ.get(name, default).strip().lower()
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(value[-1:], 0)
    digits = value[:-1] if factor else value
    if not digits.isdigit():
        raise ImproperlyConfigured(f"{name} must be a duration such as 3600, 60m or 24h, not {value!r}")
    return int(digits) * (factor or 1)


JWT_EXPIRES_IN = duration("JWT_EXPIRES_IN", "1h")
REFRESH_EXPIRES_IN = duration("REFRESH_EXPIRES_IN", "30d")

PORT = int(os.environ.get("PORT") or 8000)
PUBLIC_URL = os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{PORT}"
# Where links in mails lead; this server has plain pages for them.
FRONTEND_URL = os.environ.get("FRONTEND_URL") or PUBLIC_URL
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{urlsplit(PUBLIC_URL).hostname}")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# Browser origins of the separate frontend: CORS for REST, Origin check for the WebSocket.
FRONTEND_ORIGINS = env_list(
    "FRONTEND_ORIGINS", f"{PUBLIC_URL},http://localhost:{PORT},http://localhost:3000,http://localhost:5173"
)

CORS_ALLOWED_ORIGINS = FRONTEND_ORIGINS
CORS_URLS_REGEX = r"^/(v1|api)/"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "x-organization-id",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = ["x-request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after"]

INSTALLED_APPS = [
    "vocelio.organizations",
    "vocelio.users",
    "vocelio.members",
    "vocelio.sso",
    "vocelio.access",
    "vocelio.audit",
    "vocelio.crypto",
    "vocelio.api",
    "vocelio.jobs",
    "vocelio.realtime",
    "vocelio.db",
    "vocelio.notifications",
    "vocelio.storage",
    "vocelio.webhooks",
    "vocelio.operations",
    "contacts",
    "recruitment",
    "sales",
    "crm_sync",
    "dnc",
    "comms",
    "ai_matching",
    # After the apps whose metrics they gather.
    "vocelio.reports",
    "vocelio.dashboards",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "vocelio.backoffice.apps.BackofficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "channels",
    "django_celery_beat",
    # Last, since it replaces the admin pages that the packages above register.
    "vocelio.backoffice.apps.BackofficeConfig",
    # After it, since it wraps what all of them call things.
    "vocelio.languages",
]

MIDDLEWARE = [
    "vocelio.health.middleware.MetricsMiddleware",
    "vocelio.api.middleware.RequestIdMiddleware",
    "vocelio.health.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "vocelio.api.middleware.TrailingSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "vocelio.languages.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "vocelio.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "vocelio.wsgi.application"
ASGI_APPLICATION = "vocelio.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(url: str) -> dict[str, object]:
    """Django's form of postgresql://user:password@host:port/name?host=/socket/dir."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    host = unquote(query.pop("host", parts.hostname or ""))
    port = query.pop("port", str(parts.port or ""))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        # Every web thread and worker child keeps its own connection.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "vocelio", **{key: unquote(value) for key, value in query.items()}},
    }


DATABASE_URL = os.environ.get("DATABASE_URL") or STATE.get("DATABASE_URL") or "postgresql://localhost/vocelio"
DATABASE_OWNER_URL = os.environ.get("DATABASE_OWNER_URL") or STATE.get("DATABASE_OWNER_URL") or DATABASE_URL
# The restricted role of web and workers; migrations grant to it and are themselves run by the owner.
DATABASE_APP_ROLE = unquote(urlsplit(DATABASE_URL).username or "")
AS_OWNER = os.environ.get("VOCELIO_DB_ROLE") == "owner"
DATABASES = {"default": database(DATABASE_OWNER_URL if AS_OWNER else DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL") or STATE.get("REDIS_URL") or "redis://localhost:6379/0"


def celery_broker(url: str) -> str:
    """Celery's spelling of a unix-socket URL (redis+socket:///path?virtual_host=N)."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    number = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "vocelio",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}
# Pub/sub channels are one space over all numbered databases of a Redis server; installations differ by database.
REDIS_NAMESPACE = f"vocelio:{DATABASES['default']['NAME']}"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_NAMESPACE}:layer:"},
    }
}

CELERY_BROKER_URL = celery_broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Jobs are rows with a lease; a lost message is rung again by the sweeper, a lost child hands its message back.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2, "visibility_timeout": 3600}
# One queue per context, so that its workers are deployed and scaled apart.
CELERY_TASK_QUEUES_BY_APP = [
    "vocelio", "webhooks", "contacts", "dnc", "crm_sync", "recruitment", "sales", "ai_matching", "comms"
]  # fmt: skip
# A worker without -Q takes them all.
CELERY_TASK_QUEUES = [Queue(app, Exchange(app), routing_key=app) for app in CELERY_TASK_QUEUES_BY_APP]
# Other systems' slowness is kept from the kernel's queue.
CELERY_TASK_ROUTES = {"vocelio.webhooks.*": {"queue": "webhooks"}} | {
    f"{app}.*": {"queue": app} for app in CELERY_TASK_QUEUES_BY_APP
}
CELERY_TASK_DEFAULT_QUEUE = "vocelio"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["vocelio.users.backends.EmailBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# What authenticator apps show above the code.
TOTP_ISSUER = os.environ.get("TOTP_ISSUER") or "Vocelio"
MESSAGE_STORAGE = "vocelio.languages.messages.TranslatedStorage"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_flag("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_SSL_REDIRECT = HTTPS and env_flag("SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics"]
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "vocelio.users.authentication.TokenAuthentication",
        "vocelio.users.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["vocelio.access.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["vocelio.api.renderers.OrjsonRenderer", "vocelio.api.renderers.BrowsableRenderer"],
    "DEFAULT_PARSER_CLASSES": ["vocelio.api.parsers.OrjsonParser"],
    "DEFAULT_PAGINATION_CLASS": "vocelio.api.pagination.EnvelopePagination",
    "DEFAULT_FILTER_BACKENDS": ["vocelio.api.filters.StrictFilterBackend", "vocelio.api.filters.SortBackend"],
    "DEFAULT_THROTTLE_CLASSES": ["vocelio.api.throttles.OrganizationThrottle"],
    "DEFAULT_SCHEMA_CLASS": "vocelio.api.schema.EnvelopeSchema",
    # OPTIONS is 405: the OpenAPI description says what there is, and to whom.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "vocelio.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vocelio API",
    "DESCRIPTION": "Contacts, compliance and CRM. The same tree answers under /v1/ and /api/.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # What is only answered is no part of what is sent: SDKs would ask for it.
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/v1/",
    "PREPROCESSING_HOOKS": ["vocelio.api.schema.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "vocelio.api.schema.tidy_names",
        "vocelio.api.schema.add_error_responses",
    ],
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VOCELIO_DATA / "files"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if os.environ.get("AWS_BUCKET_NAME"):
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": os.environ["AWS_BUCKET_NAME"],
            "region_name": os.environ.get("AWS_REGION"),
            "access_key": os.environ.get("AWS_ACCESS_KEY_ID"),
            "secret_key": os.environ.get("AWS_SECRET_ACCESS_KEY"),
            "endpoint_url": os.environ.get("AWS_ENDPOINT_URL"),
            # Sent for downloads alone (vocelio/storage); no file is public.
            "default_acl": None,
            "querystring_auth": True,
            "signature_version": "s3v4",
            # `path` for servers whose buckets have no host name of their own.
            "addressing_style": os.environ.get("AWS_S3_ADDRESSING_STYLE") or "auto",
            # Names are made of ids: what is stored again under one replaces it.
            "file_overwrite": True,
        },
    }
    # What clients are sent to is signed for the name by which they know the bucket.
    STORAGES["links"] = {
        **STORAGES["default"],
        "OPTIONS": {
            **STORAGES["default"]["OPTIONS"],
            "endpoint_url": os.environ.get("AWS_PUBLIC_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL"),
        },
    }
# Where nginx finds the files of the folder under `internal;`, for example /files/; empty: this server sends them.
FILES_ACCEL_PREFIX = os.environ.get("FILES_ACCEL_PREFIX", "")
STATIC_URL = "/static/"
# The image collects static files into this folder; elsewhere they are served from the packages that hold them.
STATIC_ROOT = os.environ.get("STATIC_ROOT")
WHITENOISE_USE_FINDERS = STATIC_ROOT is None

UNFOLD = theme(STATIC_URL)

# Uploads beyond 2.5 MB go to a temporary file; contact files are refused past this size.
MAX_UPLOAD_BYTES = int(os.environ.get("MAX_UPLOAD_BYTES") or 256 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND") or (
    "django.core.mail.backends.smtp.EmailBackend"
    if os.environ.get("EMAIL_HOST")
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = VOCELIO_DATA / "mail"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT") or 25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_flag("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = os.environ.get("FROM_EMAIL") or "noreply@vocelio.test"

# host:port of servers inside the own network (a CRM's gateway, a fake for tests) that outbound calls may reach.
OUTBOUND_TRUSTED = env_list("OUTBOUND_TRUSTED")

# The installation's own apps at the CRM vendors', for organizations that bring none: {slug: (client id, secret)}.
CRM_APPS = {
    slug: (os.environ[f"{slug.upper()}_CLIENT_ID"], os.environ.get(f"{slug.upper()}_CLIENT_SECRET", ""))
    for slug in ("salesforce", "hubspot", "pipedrive", "zoho")
    if os.environ.get(f"{slug.upper()}_CLIENT_ID")
}
# Vendors are asked to call back only where they can reach this installation.
CRM_WEBHOOKS = env_flag("CRM_WEBHOOKS", HTTPS)

# Matching and enrichment ask OpenAI, or whoever speaks its API there, only with a key.
OPENAI_API_KEY = os.environ.get("OPENAI_API_KEY", "")
OPENAI_BASE_URL = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
OPENAI_CHAT_MODEL = os.environ.get("OPENAI_CHAT_MODEL") or "gpt-4o-mini"

# One identity provider for everybody, beside those that organizations choose; off unless an issuer is named.
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "")
OIDC_CLIENT_ID = os.environ.get("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = os.environ.get("OIDC_CLIENT_SECRET", "")
OIDC_NAME = os.environ.get("OIDC_NAME", "") or "OpenID Connect"
# Of the e-mail addresses that may come in.
OIDC_ALLOWED_DOMAINS = [each.lower() for each in env_list("OIDC_ALLOWED_DOMAINS")]
# Who is unknown joins this organization (by its slug) with this role; without both only members come in.
OIDC_ORGANIZATION = os.environ.get("OIDC_ORGANIZATION", "")
OIDC_NEWCOMER_ROLE = os.environ.get("OIDC_NEWCOMER_ROLE", "")
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_ALLOWED_DOMAINS and OIDC_NEWCOMER_ROLE in ("", "agent", "manager")):
    raise ImproperlyConfigured(
        "OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_ALLOWED_DOMAINS; OIDC_NEWCOMER_ROLE is agent, manager or empty"
    )

# What is kept how long, each changed by RETENTION_<NAME>=90d; docs/operations.md says what hangs on it.
RETENTION = {
    name: timedelta(seconds=duration(f"RETENTION_{name.upper()}", default))
    for name, default in {
        "trash": "30d",
        "uploads": "30d",
        "import_drafts": "7d",
        "exports": "7d",
        "events": "7d",
        "idempotency_keys": "1d",
        "login_attempts": "1d",
        "used_refresh_tokens": "30d",
        "sessions": "90d",
        "crm_webhooks": "7d",
        "crm_items": "90d",
        "notifications": "180d",
        "webhook_deliveries": "30d",
        "report_deliveries": "180d",
    }.items()
}

# How long one statement of a request may run, in PostgreSQL's words.
REQUEST_STATEMENT_TIMEOUT = os.environ.get("REQUEST_STATEMENT_TIMEOUT") or "30s"

# What Prometheus shows to read /metrics; without one, only private addresses may.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
# Where a worker or beat answers with its own metrics, e.g. 0.0.0.0:9100; processes that share a folder need none.
METRICS_ADDRESS = os.environ.get("METRICS_ADDRESS", "")

# From how many milliseconds on a request or a statement is logged as slow; LOG_REQUESTS=1 logs every request.
SLOW_REQUEST_MS = float(os.environ.get("SLOW_REQUEST_MS") or 1000)
SLOW_QUERY_MS = float(os.environ.get("SLOW_QUERY_MS") or 500)
LOG_REQUESTS = env_flag("LOG_REQUESTS")

# Faults go to Sentry and traces to an OpenTelemetry collector where these say so: requirements-observe.txt.
SENTRY_DSN = os.environ.get("SENTRY_DSN", "")
SENTRY_ENVIRONMENT = os.environ.get("SENTRY_ENVIRONMENT") or ("development" if DEBUG else "production")
TRACES = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
if TRACES:
    MIDDLEWARE.insert(0, "vocelio.operations.tracing.TracingMiddleware")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "vocelio" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "vocelio.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    # Django's own handlers would print everything twice.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Every tick and every task would drown the rest; jobs say themselves what they did.
        "celery": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
        # It tells whole addresses, and those hold tokens, codes and what a query looks for.
        "httpx": {"level": "WARNING"},
    },
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
