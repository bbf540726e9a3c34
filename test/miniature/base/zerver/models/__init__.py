from zerver.models.message import Message
from zerver.models.people import Draft, Realm, ScheduledEmail, ScheduledMessage, UserProfile

__all__ = ["Draft", "Message", "Realm", "ScheduledEmail", "ScheduledMessage", "UserProfile"]
