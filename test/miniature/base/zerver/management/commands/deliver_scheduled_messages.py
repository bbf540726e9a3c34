from zerver.deliver import Deliver
from zerver.models import ScheduledMessage


class Command(Deliver):
    help = "Sends scheduled messages."
    name = "deliver_scheduled_messages"
    scheduled = ScheduledMessage
