from zerver.deliver import Deliver
from zerver.models import ScheduledEmail


class Command(Deliver):
    help = "Sends scheduled mail."
    name = "deliver_scheduled_emails"
    scheduled = ScheduledEmail
