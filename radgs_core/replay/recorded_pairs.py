"""The pairs of a recording, as the live node would find them."""

import logging
from collections.abc import Callable

from radgs_core.acquisition.xray_inbox import Acquisition, NoPairYet, XrayInbox
from radgs_core.errors import InputError
from radgs_core.messages.factory import Message
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.topics import info_topic
from radgs_core.replay.recorded_topics import RecordedTopics

log = logging.getLogger(__name__)


class RecordedPairs:
    """Takes images and camera_info in the order in which they were received; gives every pair once.

    What cannot be used is a warning with its topic and stamp.

    Attributes:
        waiting_for: what is missing for a pair; empty once there was one.
        left_out: how many messages and pairs could not be used.
    """

    def __init__(self, topics: RecordedTopics, make_inbox: Callable[[], XrayInbox]) -> None:
        self._topics = topics
        self._make_inbox = make_inbox
        self.waiting_for = ""
        self.left_out = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what has no partner yet: time has jumped back."""
        self._inbox = self._make_inbox()
        self._given: tuple[object, ...] | None = None
        self._told: set[str | tuple[int, int]] = set()

    def take(self, topic: str, message: Message) -> Acquisition | None:
        """The new pair that the message of a topic completes, if it does."""
        try:
            if topic in self._topics.images:
                view = self._topics.images[topic]
                self._inbox.add_image(view, message, self._topics.transport.topic(view))
            else:
                view = self._topics.infos[topic]
                self._inbox.add_info(view, message, info_topic(view))
        except InputError as error:
            self._told.add(str(error))
            self.leave_out(message, str(error))
            return None
        try:
            acquisition = self._inbox.latest()
        except NoPairYet as waiting:
            if self._given is None:
                self.waiting_for = str(waiting)
            return None
        except InputError as error:
            self._tell_once(error)
            return None
        if acquisition.key == self._given:
            return None
        self._given = acquisition.key
        return acquisition

    def leave_out(self, message: Message, why: str) -> None:
        """Tell a message that cannot be used, and count it."""
        self.left_out += 1
        log.warning("%s: %s", seconds_text(nanoseconds(message.header.stamp)), why)

    def _tell_once(self, error: InputError) -> None:
        """The latest pair cannot be used; the messages that follow find that again."""
        pair = self._inbox.latest_stamps_ns
        if pair is None or str(error) in self._told or pair in self._told:
            return
        self._told.add(pair)
        self.left_out += 1
        log.warning("the pair of %s is left out: %s", seconds_text(max(pair)), error)
