"""Chromium without a window, spoken to through its debugging pipe (Chrome DevTools Protocol)."""

import base64
import json
import os
import shutil
import subprocess


def program():
    return shutil.which("chromium") or shutil.which("chromium-headless-shell") or shutil.which("google-chrome")


class Browser:
    def __init__(self, folder):
        to_it, (self.read_end, from_it) = os.pipe(), os.pipe()
        self.write_end = to_it[1]

        def descriptors():
            # 3 and 4, which may be what these are now.
            a, b = os.dup2(to_it[0], 100), os.dup2(from_it, 101)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={folder}/chrome"],
            preexec_fn=descriptors, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        os.close(to_it[0])
        os.close(from_it)
        self.buffer, self.number, self.session, self.said = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.buffer:
            more = os.read(self.read_end, 1 << 16)
            assert more, "the browser has ended"
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        text = {"id": self.number, "method": method, "params": params}
        if self.session:
            text["sessionId"] = self.session
        os.write(self.write_end, json.dumps(text).encode() + b"\0")
        while True:
            m = self.message()
            if m.get("id") == self.number:
                assert "error" not in m, (method, m)
                return m["result"]
            self.said.append(m)

    def look(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url):
        self.said.clear()
        self.call("Page.navigate", url=url)
        while not any(m.get("method") == "Page.loadEventFired" for m in self.said):
            self.said.append(self.message())

    def run(self, script):
        r = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in r, r
        return r["result"].get("value")

    def key(self, key, code):
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def complaints(self):
        """What the page or its policy has complained of."""
        return [m for m in self.said
                if m.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed")]  # fmt: skip

    def picture(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.write_end)
        os.close(self.read_end)
