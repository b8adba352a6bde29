"""What both halves of the notebook are measured with."""

import resource
import sys
import time


class Steps:
    """Seconds by step; the clock starts with it."""

    def __init__(self):
        self.seconds = {}
        self.clock = time.perf_counter()

    def done(self, step):
        now = time.perf_counter()
        self.seconds[step] = now - self.clock
        self.clock = now


def peak_bytes():
    """The most memory that was resident. On Linux ru_maxrss starts with the parent's peak; VmHWM does not."""
    try:
        with open("/proc/self/status") as status:
            return 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
