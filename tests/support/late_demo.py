"""`callflow demo` with a fault planted in the plane: every prompt starts 300 ms late."""

import asyncio
from functools import partial

import callflow.cli.demo as demo
from callflow.cli import main
from callflow.config import Setup
from callflow.demo.hold_stage import play_seated
from callflow.demo.stage import play_live
from callflow.media.messages import Command, Play
from callflow.net.media_runner import MediaRunner
from callflow.net.mmsg import bound_sockets

LATE = 0.3


class LateRunner(MediaRunner):
    """Obeys at once, but for the command to play."""

    def command(self, command: Command) -> None:
        if isinstance(command, Play):
            asyncio.get_running_loop().call_later(LATE, super().command, command)
        else:
            super().command(command)


def late(setup: Setup) -> MediaRunner:
    bound = bound_sockets("127.0.0.1", setup.config.media.ports)
    return LateRunner(bound, capacity=16, thresholds=setup.thresholds)


if __name__ == "__main__":
    vars(demo)["play_live"] = partial(play_live, media=late)
    vars(demo)["play_seated"] = partial(play_seated, media=late)
    main()
