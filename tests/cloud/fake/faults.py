"""Faults on demand: what goes wrong, at which calls of which action."""

KINDS = ("error", "cut-before", "cut-after", "slow", "garbage")


class Fault:
    """Hits `times` calls (0: all) of `action` ("*": any), beginning with the `nth` from now (1: the next one).

    error: refused with code, message and status, and not executed.   cut-before: the connection ends, not executed.
    cut-after: executed, but the connection ends without an answer.   slow: answered after `seconds`.
    garbage: executed, and answered with `body`."""

    def __init__(self, action, kind="error", nth=1, times=1, code="InternalError", message="An internal error has occurred",
                 status=500, seconds=1.0, body="<html><body>502 Bad Gateway"):  # fmt: skip
        if kind not in KINDS:
            raise ValueError(f"'{kind}' is none of {', '.join(KINDS)}")
        self.action, self.kind, self.nth, self.times = action, kind, nth, times
        self.code, self.message, self.status = code, message, status
        self.seconds, self.body = seconds, body
        self.seen = self.hits = 0

    def strikes(self, action):
        if self.action not in ("*", action):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class Faults:
    def __init__(self):
        self.all = []

    def add(self, action, **more):
        fault = Fault(action, **more)
        self.all.append(fault)
        return fault

    def throttle(self, action, times=1, nth=1):
        return self.add(
            action, code="RequestLimitExceeded", message="Request limit exceeded.", status=503, times=times, nth=nth
        )

    def clear(self):
        self.all = []

    def of(self, action):
        """The faults of this call; each counts it."""
        return [fault for fault in self.all if fault.strikes(action)]
