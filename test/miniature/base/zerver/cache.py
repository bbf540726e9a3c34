"""What is kept in memcached. The application works without it, slower."""

import pylibmc
from django.conf import settings

from zerver.models import Realm

_client = None


def client():
    global _client
    if _client is None:
        login = {"username": settings.MEMCACHED_USERNAME, "password": settings.MEMCACHED_PASSWORD}
        _client = pylibmc.Client(
            [settings.MEMCACHED_LOCATION], binary=True, **(login if settings.MEMCACHED_PASSWORD else {})
        )
    return _client


def fill():
    for realm in Realm.objects.all():
        client().set(f"realm:{realm.id}", realm.name)


def realm_name():
    """The name of the first organization, as it was when it was last looked up; None where there is none."""
    try:
        name = client().get("realm:1")
    except pylibmc.Error:
        name = None
    if name is None:
        name = Realm.objects.filter(id=1).values_list("name", flat=True).first()
        try:
            client().set("realm:1", name)
        except pylibmc.Error:
            pass
    return name
