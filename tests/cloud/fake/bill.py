"""The meter: what ran for how long, and what that costs."""

import math

from . import catalog


class Line:
    """`step`: what is begun of it is paid in full."""

    def __init__(self, what, name, started, usd_per_second, step):
        self.what, self.name, self.started, self.usd_per_second, self.step = what, name, started, usd_per_second, step
        self.ended = None

    def seconds(self, now):
        seconds = max(catalog.MINIMUM_SECONDS, (self.ended or now) - self.started)
        return math.ceil(seconds / self.step) * self.step if self.step else seconds

    def usd(self, now):
        return self.seconds(now) * self.usd_per_second


class Bill:
    """A line for each stretch of time at one price; a volume that grows begins a new one."""

    def __init__(self):
        self.lines = []

    def open(self, what, name, now, usd_per_second, step=None):
        self.lines.append(Line(what, name, now, usd_per_second, step))

    def close(self, name, now):
        for line in self.lines:
            if line.name == name and line.ended is None:
                line.ended = now

    def running(self):
        return [line for line in self.lines if line.ended is None]

    def total(self, now):
        return sum(line.usd(now) for line in self.lines)

    def as_json(self, now):
        lines = [{"what": line.what, "name": line.name, "seconds": round(line.seconds(now), 3),
                  "running": line.ended is None, "usd": line.usd(now)} for line in self.lines]  # fmt: skip
        return {"lines": lines, "usd": self.total(now)}

    def text(self, now):
        rows = [f"{line.usd(now):12.6f}  {line.seconds(now):10.0f} s  {line.name}  {line.what}"
                + ("  (still there)" if line.ended is None else "") for line in self.lines]  # fmt: skip
        return "\n".join([*rows, f"{self.total(now):12.6f}  US dollars"]) + "\n"
