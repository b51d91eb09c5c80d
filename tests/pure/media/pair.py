"""Two legs whose phones have been heard, and what is to be said of the stream that one of them gets."""

import itertools

from callflow.codec import Law
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Sent, Stage

A, B = 1, 2


class Pair(Stage):
    """Alice and Bob, each with a phone that has been heard."""

    def meet(self, alice: Law = Law.PCMU, bob: Law = Law.PCMU) -> tuple[Phone, Phone]:
        self.open(A, ALICE, law=alice)
        self.open(B, BOB, law=bob)
        phones = Phone(self, ALICE, alice.payload_type), Phone(self, BOB, bob.payload_type, ssrc=8)
        for phone in phones:
            phone.say(ULAW_IDLE)
        self.tick()
        self.told.clear()
        return phones

    def talk(self, phone: Phone, packets: int, code: int = 0x10, size: int = 160) -> None:
        """Packets of audio, each in its time; what they hold tells them apart."""
        for _ in range(packets):
            phone.say(bytes([code]) * size)
            self.run(size / 8000, 0.005)


def payloads(sent: list[Sent]) -> list[bytes]:
    return [one.payload[:1] for one in sent]


def unbroken(sent: list[Sent]) -> bool:
    """One SSRC, every sequence number once and in order, timestamps that never go back or overlap."""
    steps = {(two.sequence - one.sequence) % 2**16 for one, two in itertools.pairwise(sent)}
    forward = all(
        (two.timestamp - one.timestamp) % 2**32 >= len(one.payload) for one, two in itertools.pairwise(sent)
    )
    return len({one.ssrc for one in sent}) == 1 and steps == {1} and forward


def true_to_time(sent: list[Sent], tolerance: float = 0.021) -> bool:
    first = sent[0]
    return all(
        abs((one.timestamp - first.timestamp) % 2**32 / 8000 - (one.at - first.at)) <= tolerance
        for one in sent
    )
