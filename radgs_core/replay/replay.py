"""A recording in, a recording with results out."""

import dataclasses
import logging
import traceback
from functools import partial

from radgs_core.acquisition.recorded_transforms import RecordedTransforms
from radgs_core.acquisition.registrar import Registrar
from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.io.bag_reader import Bag, Recorded
from radgs_core.io.bag_writer import BagWriter
from radgs_core.messages import quality
from radgs_core.messages.factory import Message
from radgs_core.messages.frames import ct_frame, vertebra_frame
from radgs_core.messages.quality import Quality
from radgs_core.messages.recorded_messages import RecordedMessages, stamp_ns_of
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.topics import CLOCK, TF, TF_STATIC, resolved
from radgs_core.progress import Progress
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.registration.result import RegistrationResult
from radgs_core.replay.outcome import PairOutcome
from radgs_core.replay.recorded_pairs import RecordedPairs
from radgs_core.replay.recorded_topics import RecordedTopics
from radgs_core.replay.settings import ReplaySettings
from radgs_core.result_messages import Outgoing, ResultMessages

log = logging.getLogger(__name__)


class Replay:
    """One way through a recording, to be gone once.

    X-rays and transforms are copied as they are; the results of a pair follow the message that completed it, and are
    taken back where time jumps back. Frames that an earlier registration sent are left out: the results have their
    names.
    """

    def __init__(self, bag: Bag, case: Case, registration: SpineRegistration, settings: ReplaySettings) -> None:
        """
        Raises:
            InputError: the recording lacks what every registration needs, or the reference frame is one of the results.
        """
        self._bag = bag
        self._namespace = settings.namespace
        self._topics = RecordedTopics.of(bag, settings.namespace, settings.transport)
        self._messages = RecordedMessages()
        self._results = ResultMessages(self._messages, case, settings.levels, settings.reference, settings.frame_prefix)
        self._result_frames = {
            frame(label, settings.frame_prefix) for label in case.levels for frame in (vertebra_frame, ct_frame)
        }
        self._transforms = RecordedTransforms(self._result_frames, log.warning)
        self._pairs = RecordedPairs(self._topics, settings.inbox)
        lookup = self._transforms.lookup
        self._registrar = Registrar(
            registration,
            settings.levels,
            settings.reference,
            lambda view, frame, stamp_ns: lookup(settings.reference, frame, stamp_ns),
            lookup,
        )
        if settings.initial is not None:
            self._registrar.set_start_poses(settings.initial)
        elif registration.needs_start and not bag.counts.get(self._topics.initialpose):
            raise InputError(
                f"{bag.path} has no start on {self._topics.initialpose}, and the case has no networks that find one;"
                " give start poses with --initial poses.json, or prepare the case with radgs-reg prepare --minutes."
            )
        self._outcomes: list[PairOutcome] = []

    @property
    def left_out(self) -> int:
        """How many messages and pairs could not be used so far."""
        return self._pairs.left_out + sum(outcome.result is None for outcome in self._outcomes)

    def run(self, writer: BagWriter, progress: Progress) -> list[PairOutcome]:
        """Register every pair and write the new recording; returns what became of the pairs.

        Raises:
            InputError: the recording is damaged, or there is no pair in it.
        """
        self._foresee()
        for outgoing in (self._results.static_frames(self._bag.begin_ns), self._results.no_markers()):
            self._write(writer, outgoing, self._bag.begin_ns)
        for recorded in self._bag.messages({*self._topics.names, CLOCK}):
            acquisition = self._take(recorded, writer)
            if acquisition is not None:
                self._register(acquisition, recorded.received_ns, writer, progress)
        if not self._outcomes and not self.left_out:
            raise InputError(f"{self._bag.path}: {self._pairs.waiting_for}")
        return self._outcomes

    def _foresee(self) -> None:
        # of images, and of starts in whatever frame
        stamped = self._bag.messages([*self._topics.images, self._topics.initialpose])
        self._transforms.want(stamp_ns_of(recorded.data, self._bag.name_of(recorded)) for recorded in stamped)
        for recorded in self._bag.messages([TF, TF_STATIC, CLOCK]):
            message = self._read(recorded)
            if recorded.topic == TF:
                self._transforms.foresee_moving(message, recorded.received_ns)
            elif recorded.topic == TF_STATIC:
                self._transforms.foresee_static(message)
            else:
                self._transforms.foresee_clock(message, recorded.received_ns)
        self._transforms.begin()

    def _take(self, recorded: Recorded, writer: BagWriter) -> Acquisition | None:
        """Go on by one message; returns the pair that it completes, if it does."""
        message = self._read(recorded)
        if self._transforms.reach(recorded.received_ns):
            self._begin_anew(message, recorded, writer)
        if recorded.topic == CLOCK:
            return None
        if recorded.topic == self._topics.initialpose:
            self._take_start(message, recorded)
        elif recorded.topic in (TF, TF_STATIC):
            self._take_transforms(message, recorded, writer)
        else:
            _copy(writer, recorded, quality.IMAGES)
            return self._take_xray(message, recorded)
        return None

    def _begin_anew(self, message: Message, recorded: Recorded, writer: BagWriter) -> None:
        """Time has jumped back, as this message tells: pairs and the last result are of before, as live."""
        self._pairs.begin_anew()
        if self._registrar.drop_unplaced_start():
            log.warning(
                "received at %s: time goes back, so where the frame of the initialpose was at its stamp is not to be"
                " known any more; the start is forgotten",
                seconds_text(recorded.received_ns),
            )
        now_ns = nanoseconds(message.clock) if recorded.topic == CLOCK else recorded.received_ns
        for outgoing in self._results.nothing(now_ns):
            self._write(writer, outgoing, recorded.received_ns)

    def _take_xray(self, message: Message, recorded: Recorded) -> Acquisition | None:
        if self._transforms.is_outdated(nanoseconds(message.header.stamp), recorded.received_ns):
            self._pairs.leave_out(message, f"{recorded.topic} is left out: it was sent before the time went back.")
            return None
        return self._pairs.take(recorded.topic, message)

    def _take_start(self, message: Message, recorded: Recorded) -> None:
        try:
            self._registrar.set_start(message, recorded.topic)
            self._registrar.place_start(self._transforms.lookup)
        except InputError as error:
            log.warning("received at %s: %s", seconds_text(recorded.received_ns), error)

    def _take_transforms(self, message: Message, recorded: Recorded, writer: BagWriter) -> None:
        if not all(transform.child_frame_id.lstrip("/") in self._result_frames for transform in message.transforms):
            _copy(writer, recorded, quality.TF if recorded.topic == TF else quality.TF_STATIC_OF_ALL)
        if recorded.topic == TF_STATIC:
            self._transforms.take_static(message)

    def _register(self, acquisition: Acquisition, received_ns: int, writer: BagWriter, progress: Progress) -> None:
        done = (received_ns - self._bag.begin_ns) / max(self._bag.end_ns - self._bag.begin_ns, 1)
        stamp = seconds_text(acquisition.stamp_ns)
        outcome = partial(PairOutcome, acquisition.stamps_ns, received_ns)
        made: list[Outgoing] = []
        try:
            geometry = self._registrar.geometry(acquisition)
            result = self._registrar.register(
                acquisition,
                geometry,
                lambda _, message: progress(done, f"pair of {stamp}, {message}"),
                lambda result: made.extend(self._results.of(result, acquisition)),
            )
        except Exception as error:  # one pair of images does not end the others, as live
            problem = str(error) if isinstance(error, InputError) else f"it failed unexpectedly ({_told(error)})."
            log.warning("the pair of %s is left out: %s", stamp, problem)
            self._outcomes.append(outcome(None, problem))
            return
        for outgoing in (*made, *self._pictures(result, acquisition)):
            self._write(writer, outgoing, received_ns)
        # images, and what networks made of them, take megabytes a pair
        self._outcomes.append(outcome(dataclasses.replace(result, learned=None, observations={}), ""))

    def _pictures(self, result: RegistrationResult, acquisition: Acquisition) -> list[Outgoing]:
        try:
            return self._results.pictures(result, acquisition)
        except Exception as error:  # the result stands, whatever becomes of its pictures, as live
            stamp = seconds_text(acquisition.stamp_ns)
            log.warning("the pair of %s has no markers and overlays, they could not be made (%s).", stamp, _told(error))
            return self._results.no_pictures(acquisition.stamp_ns)

    def _read(self, recorded: Recorded) -> Message:
        return self._messages.read(recorded.kind, recorded.data, self._bag.name_of(recorded))

    def _write(self, writer: BagWriter, outgoing: Outgoing, received_ns: int) -> None:
        output = outgoing.output
        topic = resolved(output.topic, self._namespace)
        # players have one publisher for all that was on a topic
        offer = quality.TF_STATIC_OF_ALL if topic == TF_STATIC else output.quality
        data = self._messages.serialised(output.kind, outgoing.message)
        writer.write(topic, output.kind, offer.depth, offer.latched, received_ns, data)


def _told(error: Exception) -> str:
    """A few words on an error that nobody expected; where it came from is logged."""
    log.error(traceback.format_exc())
    return f"{type(error).__name__}: {error}"


def _copy(writer: BagWriter, recorded: Recorded, offer: Quality) -> None:
    writer.write(recorded.topic, recorded.kind, offer.depth, offer.latched, recorded.received_ns, recorded.data)
