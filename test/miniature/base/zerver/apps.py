from django.apps import AppConfig


class Zerver(AppConfig):
    name = "zerver"

    def ready(self):
        from zerver import checks  # noqa: F401
