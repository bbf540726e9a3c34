"""What `manage.py check` looks at beyond what Django does."""

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import DatabaseError, connections


@register()
def settings_are_whole(app_configs, **kwargs):
    secrets = ["SECRET_KEY", "SHARED_SECRET", "RABBITMQ_PASSWORD"]
    missing = [Error(f"zulip-secrets.conf has no {name.lower()}", id="zerver.E001") for name in secrets if not getattr(settings, name)]
    names = ["EXTERNAL_HOST", "ZULIP_ADMINISTRATOR"]
    return missing + [Error(f"settings.py has no {name}", id="zerver.E002") for name in names if not getattr(settings, name)]


@register(Tags.database)
def database_answers(app_configs, databases=None, **kwargs):
    errors = []
    for alias in databases or []:
        try:
            connections[alias].ensure_connection()
        except DatabaseError as error:
            errors.append(Error(f"the database can't be reached: {str(error).strip()}", id="zerver.E003"))
    return errors
