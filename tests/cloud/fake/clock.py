"""The account's clock, which tests may set forward, and what happens by itself later on."""

import heapq
import itertools
import threading
import time


class Clock:
    """`lock` is held while something due is done; whoever looks at the account holds it, too."""

    def __init__(self):
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._ahead = 0.0
        self._due = []
        self._count = itertools.count()
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def end(self):
        with self.lock:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def now(self):
        return time.time() + self._ahead

    def ahead(self):
        return self._ahead

    def later(self, seconds, what):
        """`what` is called in so many seconds, at once if there are none."""
        if seconds <= 0:
            what()
            return
        with self.lock:
            heapq.heappush(self._due, (self.now() + seconds, next(self._count), what))
            self._changed.notify_all()

    def advance(self, seconds):
        """What falls due meanwhile is done, in order, each at its own time."""
        with self.lock:
            until = self.now() + seconds
            while self._due and self._due[0][0] <= until:
                self._ahead += max(0, self._due[0][0] - self.now())
                self.catch_up()
            self._ahead += max(0, until - self.now())

    def catch_up(self):
        with self.lock:
            while self._due and self._due[0][0] <= self.now():
                heapq.heappop(self._due)[2]()

    def _run(self):
        with self.lock:
            while not self._ended:
                self.catch_up()
                self._changed.wait(max(0.001, self._due[0][0] - self.now()) if self._due else None)


class Simulated(Clock):
    """One that stands until it is told what time it is."""

    def __init__(self, at):
        super().__init__()
        self._at = at

    def now(self):
        return self._at

    def reach(self, at):
        """What falls due until then is done, each at its own time."""
        while self._due and self._due[0][0] <= at:
            self._at = max(self._at, self._due[0][0])
            self.catch_up()
        self._at = max(self._at, at)
