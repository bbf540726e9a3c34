from django.core.management.base import BaseCommand, CommandError

from zerver.models import UserProfile


class Command(BaseCommand):
    help = "Makes a user an administrator, after a question."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("-f", dest="sure", action="store_true")

    def handle(self, *args, **options):
        user = UserProfile.objects.filter(delivery_email=options["email"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['email']}")
        if not options["sure"] and input(f"Make {user.delivery_email} an administrator? [y/n] ") != "y":
            raise CommandError("not done")
        user.role = 200
        user.save()
        print(f"{user.delivery_email} is an administrator")
