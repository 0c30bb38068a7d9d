"""The stories through JSON over HTTP, as curl sends it."""
import json
import os
import subprocess
import urllib.parse

import story


def call(step, request):
    method, path = step["http"].split(" ", 1)
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}", "--request", method,
               "--header", "authorization: Bearer " + story.token(step["as"])]
    # What the path binds is not sent again.
    body = {name: value for name, value in request.items() if name not in ("name", "parent")}
    if method == "GET":
        path += "?" + urllib.parse.urlencode(body) if body else ""
    else:
        command += ["--header", "content-type: application/json", "--data", json.dumps(body)]
    done = subprocess.run(command + [os.environ["GATEWAY"] + path], check=True, capture_output=True, text=True)
    text, status = done.stdout.rsplit("\n", 1)
    answer = json.loads(text)
    if status == "200":
        return answer, None
    error = answer["error"]
    of = lambda kind: [d for d in error["details"] if d["@type"].endswith(kind)]
    return None, {
        "code": error["status"],
        "httpStatus": int(status),
        "fields": [v["field"] for d in of("BadRequest") for v in d["fieldViolations"]],
        "locales": [d["locale"] for d in of("LocalizedMessage")],
    }


if __name__ == "__main__":
    story.run(call)
