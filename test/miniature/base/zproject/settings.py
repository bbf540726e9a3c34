"""What the application is told: by the administrator's settings, zulip-secrets.conf and zulip.conf."""

import configparser
import json
import os

from version import ZULIP_VERSION  # noqa: F401

# Where this process was loaded from, whatever the links lead to later.
DEPLOY_ROOT = os.path.realpath(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _read(path):
    parser = configparser.RawConfigParser()
    parser.read(path)
    return parser


_secrets = _read("/etc/zulip/zulip-secrets.conf")
_conf = _read("/etc/zulip/zulip.conf")


def _secret(name):
    return _secrets.get("secrets", name, fallback="")


PRODUCTION = True
DEBUG = False
ROOT_URLCONF = "zproject.urls"
WSGI_APPLICATION = "zproject.wsgi.application"
INSTALLED_APPS = ["django.contrib.sessions", "zerver"]
MIDDLEWARE = [
    # Answers 400 to who asks for another host than this server's.
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
]
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
TIME_ZONE = "UTC"

# These have defaults; the administrator's settings say otherwise.
REMOTE_POSTGRES_HOST = ""
REMOTE_POSTGRES_PORT = ""
REMOTE_POSTGRES_SSLMODE = ""
RABBITMQ_HOST = "127.0.0.1"
RABBITMQ_USERNAME = "zulip"
RABBITMQ_VHOST = "/"
MEMCACHED_LOCATION = "127.0.0.1:11211"
MEMCACHED_USERNAME = "zulip@localhost"
USING_APACHE_SSO = False
LOCAL_UPLOADS_DIR = "/home/zulip/uploads"

from .prod_settings import *  # noqa: E402, F403
from .prod_settings import EXTERNAL_HOST, ZULIP_ADMINISTRATOR  # noqa: E402, F401

ALLOWED_HOSTS = [EXTERNAL_HOST, "127.0.0.1", "localhost"]
SECRET_KEY = _secret("secret_key")
SHARED_SECRET = _secret("shared_secret")
RABBITMQ_PASSWORD = _secret("rabbitmq_password")
MEMCACHED_PASSWORD = _secret("memcached_password")

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _conf.get("postgresql", "database_name", fallback="zulip"),
        "USER": _conf.get("postgresql", "database_user", fallback="zulip"),
        "PASSWORD": _secret("postgres_password") if REMOTE_POSTGRES_HOST else "",
        "HOST": REMOTE_POSTGRES_HOST,
        "PORT": REMOTE_POSTGRES_PORT,
        "CONN_MAX_AGE": 600,
        "OPTIONS": {"sslmode": REMOTE_POSTGRES_SSLMODE} if REMOTE_POSTGRES_SSLMODE else {},
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "database": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "third_party_api_results"},
}

LOG_DIR = "/var/log/zulip"
QUEUE_STATS_DIR = f"{LOG_DIR}/queue_stats"
QUEUE_ERROR_DIR = f"{LOG_DIR}/queue_error"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        # Opened by the first error, so that who may not write there can still look.
        "errors": {
            "class": "logging.FileHandler",
            "filename": f"{LOG_DIR}/errors.log",
            "level": "ERROR",
            "formatter": "line",
            "delay": True,
        },
    },
    "root": {"handlers": ["console", "errors"], "level": "INFO"},
    # It tells of every connection.
    "loggers": {"pika": {"level": "WARNING"}},
}

# The ports of the event system: 9800, and those that sharding.json has organizations for.
TORNADO_PORTS = [9800]
if os.path.exists("/etc/zulip/sharding.json"):
    with open("/etc/zulip/sharding.json", encoding="utf-8") as _file:
        _shards = json.load(_file)
    _listed = [*_shards.get("shard_map", {}).values(), *(ports for _, ports in _shards.get("shard_regexes", []))]
    TORNADO_PORTS = sorted({9800, *(p for ports in _listed for p in (ports if isinstance(ports, list) else [ports]))})
