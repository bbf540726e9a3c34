# The settings of this server, as /etc/zulip/settings.py.

# Its name in addresses, and who is told of errors.
EXTERNAL_HOST = "zulip.example.com"
ZULIP_ADMINISTRATOR = "zulip-admin@example.com"

# Where uploads lie.
LOCAL_UPLOADS_DIR = "/home/zulip/uploads"
