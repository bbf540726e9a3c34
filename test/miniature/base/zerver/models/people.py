from django.db import models


class Realm(models.Model):
    """An organization."""

    string_id = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=40)


class UserProfile(models.Model):
    realm = models.ForeignKey(Realm, on_delete=models.CASCADE)
    delivery_email = models.EmailField(unique=True)
    # 400 is a member, 200 an administrator, as in Zulip.
    role = models.IntegerField(default=400)


class Draft(models.Model):
    content = models.TextField()


class Scheduled(models.Model):
    scheduled_timestamp = models.DateTimeField()
    content = models.TextField()

    class Meta:
        abstract = True


class ScheduledEmail(Scheduled):
    pass


class ScheduledMessage(Scheduled):
    pass
