import os

from django.core.checks import Error, register


@register()
def obstacle(app_configs, **kwargs):
    if os.path.exists("/etc/zulip/mended"):
        return []
    return [Error("this check fails until /etc/zulip/mended is there", id="zerver.E900")]
