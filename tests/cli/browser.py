#!/usr/bin/env python3
"""A page in a real browser: opens it, runs CHECK.js in it and prints what that returns.

    browser.py PAGE.html CHECK.js [PICTURE.png [dark|print]]

CHECK.js is the body of an async function and returns lines of text.  Errors of the page's scripts and everything that it asks for beside itself are printed, too,
as is what the browser calls an error.  Exit code 77 if there is no Chromium here.  Chromium is spoken to through pipes, so no port is opened.
"""
import base64, json, os, shutil, subprocess, sys, tempfile


class Browser:
    def __init__(self, path, profile):
        mine_in, its_out = os.pipe()
        its_in, mine_out = os.pipe()
        plumb = f'exec 3<&{its_in} 4>&{its_out}; exec "$@"'
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1600", f"--user-data-dir={profile}",
                     "--proxy-server=127.0.0.1:9", "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(["bash", "-c", plumb, "bash", path, *arguments], pass_fds=(its_in, its_out), stderr=subprocess.DEVNULL)
        os.close(its_in), os.close(its_out)
        self.out, self.into = os.fdopen(mine_out, "wb"), os.fdopen(mine_in, "rb")
        self.number, self.session, self.events = 0, None, []

    def read(self):
        message = bytearray()
        while (byte := self.into.read(1)) != b"\0":
            if not byte:
                sys.exit("the browser ended")
            message += byte
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters} | ({"sessionId": self.session} if self.session else {})
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while (answer := self.read()).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait(self, method):
        while not any(e["method"] == method for e in self.events):
            self.events.append(self.read())


def check(browser, page, script, picture, media):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Network", "Log"):
        browser.call(f"{domain}.enable")
    if media:
        browser.call("Emulation.setEmulatedMedia", **({"media": "print"} if media == "print" else {"features": [{"name": "prefers-color-scheme", "value": media}]}))
    url = "file://" + os.path.abspath(page)
    browser.call("Page.navigate", url=url)
    browser.wait("Page.loadEventFired")
    found = browser.call("Runtime.evaluate", expression=f"(async () => {{ {script} }})()", awaitPromise=True, returnByValue=True)
    for event in browser.events:
        if event["method"] == "Runtime.exceptionThrown":
            print("error:", event["params"]["exceptionDetails"].get("exception", {}).get("description"))
        elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            print("message:", event["params"]["entry"]["text"])
        elif event["method"] == "Network.requestWillBeSent" and event["params"]["request"]["url"] != url:
            print("asks for:", event["params"]["request"]["url"])
    if "exceptionDetails" in found:
        sys.exit("the check failed: " + found["exceptionDetails"]["exception"].get("description", "?"))
    print("\n".join(found["result"]["value"]))
    if picture:
        with open(picture, "wb") as file:
            file.write(base64.b64decode(browser.call("Page.captureScreenshot", format="png")["data"]))


def main():
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not path:
        print("skipped: no Chromium here (apt install chromium)", file=sys.stderr)
        return 77
    page, script, picture, media = (sys.argv[1:] + [None, None])[:4]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(path, profile)
        try:
            check(browser, page, open(script).read(), picture, media)
        finally:
            browser.process.kill()
            browser.process.wait()
    return 0


sys.exit(main())
