"""A client of the JSON API with a signing key of its own, the district that the proof works in, and writers that remember every
acknowledgement."""
import base64
import http.client
import json
import subprocess
import threading
import time
import urllib.parse
import uuid

DISTRICT = "districts/410182"
STREET, COMMUNITY, GRID = (f"{DISTRICT}/areas/410182002{rest}" for rest in ("", "002", "002001"))
CATEGORY = f"{DISTRICT}/categories/exposed-rubbish"
DEPARTMENT = f"{DISTRICT}/departments/sanitation"
ROLES = {
    "administrator": DISTRICT,
    "supervisor": DISTRICT,
    "grid_worker": GRID,
    "grid_chief": GRID,
    "community": COMMUNITY,
    "street": STREET,
    "department": DEPARTMENT,
}
# From the report to the closed case: who, what, with what.
STEPS = [
    ("grid_chief", "escalate", {"reason": "网格无法处置，上报社区"}),
    ("community", "accept", {}),
    ("community", "register", {}),
    ("community", "escalate", {"reason": "需街道派遣"}),
    ("street", "dispatch", {"lead": {"department": DEPARTMENT}}),
    ("department", "signFor", {}),
    ("department", "resolve", {"outcome": "EVENT_OUTCOME_SOLVED", "note": "已清运"}),
    ("street", "pass", {"note": "现场核查"}),
]
# What a client may be told while a part of the suite is away; anything else is a fault.
SHED = {429, 503, 504}
# The smallest PNG there is.
PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class Refused(Exception):
    """The API's answer to a call that it does not take: status and text."""


class Unreachable(Exception):
    """No answer, or that of a service that is away for the moment."""


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with an Ed25519 key of its own; `jwks` is what the services are given."""

    def __init__(self, folder):
        self.folder, self.key = folder, folder / "issuer.pem"
        openssl = lambda *arguments: subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout
        self.openssl = openssl
        openssl("genpkey", "-algorithm", "ed25519", "-out", str(self.key))
        public = openssl("pkey", "-in", str(self.key), "-pubout", "-outform", "DER")[-32:]
        self.jwks = folder / "issuer.jwks.json"
        self.jwks.write_text(json.dumps({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "proof", "x": url64(public)}]}))
        self.tokens = {role: self.sign(role) for role in ROLES}

    def sign(self, role, subject="proof"):
        """A token of somebody with a role, for two hours."""
        scope = ROLES[role]
        claims = {"sub": f"{subject}-{role}", "iss": "proof", "aud": "jingwei", "exp": int(time.time()) + 7200,
                  "grants": [{"role": role, "scope": scope}]}
        parts = [url64(json.dumps(part).encode()) for part in ({"alg": "EdDSA", "kid": "proof"}, claims)]
        text = self.folder / "token"
        text.write_text(".".join(parts))
        signature = self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.key), "-in", str(text))
        return ".".join([*parts, url64(signature)])


class Client:
    """One connection, made again where it was lost or idle for long: the gateway ends such."""

    def __init__(self, port, tokens):
        self.port, self.tokens, self.connection, self.used = port, tokens, None, 0.0

    def call(self, role, method, path, body=None, kind="application/json"):
        """The answer's bytes. Raises Unreachable where the call may be repeated, Refused where that is no use."""
        if self.connection is None or time.monotonic() - self.used > 5:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"authorization": "Bearer " + self.tokens[role], "content-type": kind}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            self.connection.request(method, "/v1/" + path, data, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            self.used = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise Unreachable(repr(error)) from error
        if answer.status in SHED:
            raise Unreachable(text.decode())
        if answer.status != 200:
            raise Refused(f"{method} {path} as {role}: {answer.status} {text.decode()}")
        return text

    def json(self, role, method, path, body=None):
        return json.loads(self.call(role, method, path, body))

    def read(self, role, path):
        """The answer's bytes; a read does no harm twice, so it is made until it is answered, for a minute."""
        for _ in range(600):
            try:
                return self.call(role, "GET", path)
            except Unreachable as error:
                last = error
                time.sleep(0.1)
        raise last

    def ready(self):
        """Whether /readyz says that the suite serves."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def report(self, request_id):
        body = {"category": CATEGORY, "area": GRID, "description": "路边暴露垃圾", "requestId": request_id}
        return self.json("grid_worker", "POST", f"{DISTRICT}/events", body)["name"]

    def lifecycle(self, photo=None):
        """An event from its report to the closed case; its resolution may have a photo, an attachment's name."""
        evidence = {"text": "已清运", **({"uri": photo} if photo else {})}
        name = self.report(str(uuid.uuid4()))
        for role, action, body in STEPS:
            extra = {"evidence": [evidence]} if action == "resolve" else {}
            answer = self.json(role, "POST", f"{name}:{action}", {**body, **extra})
        assert answer["state"] == "EVENT_STATE_CLOSED", answer
        return name

    def attach(self, number):
        """A picture as an attachment; each number has bytes of its own."""
        picture = PICTURE + number.to_bytes(4, "big")
        upload = {"fileName": f"{number}.png", "sizeBytes": len(picture), "purpose": "UPLOAD_PURPOSE_ATTACHMENT"}
        name = self.json("department", "POST", f"{DISTRICT}/uploads", upload)["name"]
        done = json.loads(self.call("department", "POST", f"{name}:append?offset=0", picture, "image/png"))
        return done["attachment"]

    def statistics(self):
        return json.loads(self.read("supervisor", f"{DISTRICT}/areas/410182:statistics"))

    def events(self):
        """The names of all events of the district, page by page."""
        token = ""
        while True:
            page = json.loads(self.read("supervisor", f"{DISTRICT}/events?pageSize=200&pageToken={urllib.parse.quote(token)}"))
            yield from (event["name"] for event in page.get("events", []))
            token = page.get("nextPageToken", "")
            if not token:
                return

    def make_district(self):
        """The calendar, areas, category and department that the events need; limits are on the clock on the wall."""
        create = lambda what, body: self.json("administrator", "POST", f"{DISTRICT}/{what}", body)
        areas = (f"{DISTRICT}/areas/410182", "荥阳市"), (STREET, "京城路街道"), (COMMUNITY, "繁荣街社区"), (GRID, "第一网格")
        for name, title in areas:
            create("areas", {"name": name, "displayName": title})
        year = time.gmtime().tm_year
        shifts = [{"weekday": day, "startMinute": 510, "endMinute": 1050} for day in range(1, 8)]
        calendar = {"name": f"{DISTRICT}/workCalendar", "shifts": shifts, "years": [year, year + 1]}
        self.json("administrator", "PUT", f"{DISTRICT}/workCalendar", calendar)
        hours = {"unit": "TIME_UNIT_EMERGENCY_HOURS", "amount": 600}
        limits = {step: hours for step in ("accept", "register", "dispatch", "handle", "verify")}
        create("categories", {"name": f"{DISTRICT}/categories/environment", "displayName": "市容环境"})
        create("categories", {"name": CATEGORY, "displayName": "暴露垃圾", "limits": limits,
                              "parentCategory": f"{DISTRICT}/categories/environment"})
        create("departments", {"name": DEPARTMENT, "displayName": "环境卫生中心", "kind": "DEPARTMENT_KIND_PUBLIC_SERVICE"})


class Writers:
    """Threads that report events without pause until told to stop. A call that found nobody is made again with its request id until it
    is acknowledged, and every fifth acknowledged one is made once more: that must name the same event."""

    def __init__(self, port, issuer, count=4):
        self.acknowledged, self.shed, self.faults, self.stopping = {}, 0, [], threading.Event()
        self.lock = threading.Lock()
        self.longest = 0.0
        # Each is a person of its own: the gateway's limit counts for each token.
        clients = [Client(port, {"grid_worker": issuer.sign("grid_worker", f"writer-{n}")}) for n in range(count)]
        self.threads = [threading.Thread(target=self.write, args=(client,), daemon=True) for client in clients]
        for thread in self.threads:
            thread.start()

    def write(self, client):
        try:
            while not self.stopping.is_set():
                request_id = str(uuid.uuid4())
                name = self.until_acknowledged(client, request_id)
                with self.lock:
                    self.acknowledged[request_id] = name
                    repeat = len(self.acknowledged) % 5 == 0
                if repeat and (again := self.until_acknowledged(client, request_id)) != name:
                    raise Refused(f"{request_id} made {name} and {again}")
        except Exception as error:  # A thread's fault is the proof's.
            self.faults.append(repr(error))

    def until_acknowledged(self, client, request_id):
        start = time.monotonic()
        while True:
            try:
                name = client.report(request_id)
                self.longest = max(self.longest, time.monotonic() - start)
                return name
            except Unreachable as error:
                with self.lock:
                    self.shed += 1
                if time.monotonic() - start > 120:
                    raise Refused(f"not acknowledged within 120 s: {error}") from error
                time.sleep(0.05)

    def moved(self, by=50):
        """A condition that holds once so many more reports are acknowledged, or a writer failed."""
        goal = len(self.acknowledged) + by
        return lambda: self.faults or len(self.acknowledged) >= goal

    def take_longest(self):
        """The longest time in seconds that a report waited for its acknowledgement, since this was last asked."""
        longest, self.longest = self.longest, 0.0
        return longest

    def stop(self):
        """Ends the writers; fails where one of them met what it must not."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(130)
        if self.faults or any(thread.is_alive() for thread in self.threads):
            raise SystemExit(f"a writer failed: {self.faults}")
        names = set(self.acknowledged.values())
        if len(names) != len(self.acknowledged):
            raise SystemExit("two requests were acknowledged with one event")
        return names
