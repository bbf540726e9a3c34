from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Message(models.Model):
    """A message. A program beside the application fills `search_tsvector`, a worker sets `is_processed`."""

    subject = models.CharField(max_length=60)
    content = models.TextField()
    rendered_content = models.TextField()
    date_sent = models.DateTimeField(auto_now_add=True)
    is_processed = models.BooleanField(default=False)
    search_tsvector = SearchVectorField(null=True)
