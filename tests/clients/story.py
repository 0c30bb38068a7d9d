"""What the Python clients share: the stories, tokens, and the comparison of an answer with what is expected."""
import json
import os
import pathlib
import subprocess
import uuid

STORIES = json.loads((pathlib.Path(__file__).parent / "stories.json").read_text(encoding="utf-8"))


def token(who):
    """A token of the local key for a role and scope; asked once for each."""
    key = tuple(sorted(who.items()))
    if key not in token.known:
        command = [os.environ["JINGWEI"], "token", "--data-dir", os.environ["DATA_DIR"]]
        for name, value in who.items():
            command += [f"--{name}", value]
        token.known[key] = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return token.known[key]


token.known = {}


def fill(value, variables):
    """Replaces ${name} in every text of a request."""
    if isinstance(value, str):
        for name, text in variables.items():
            value = value.replace("${%s}" % name, text)
        return value
    if isinstance(value, list):
        return [fill(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: fill(item, variables) for name, item in value.items()}
    return value


def check(expected, answer, path=""):
    """Every value that is expected must be in the answer; `x.length`, `x.atLeast` and `x.0.y` look into lists."""
    for name, value in expected.items():
        found = answer
        for part in name.split("."):
            if part == "length":
                found = len(found)
            elif part == "atLeast":
                assert len(found) >= value, f"{path}{name}: {len(found)} < {value}"
                found = value
            elif isinstance(found, list):
                found = found[int(part)]
            else:
                found = found.get(part)
        if isinstance(value, dict):
            assert isinstance(found, dict), f"{path}{name}: {found!r} is not {value!r}"
            check(value, found, f"{path}{name}.")
        else:
            assert found == value, f"{path}{name}: {found!r} is not {value!r}"


def run(call):
    """Plays every story; call(step, request) answers with (answer, error), one of them None. Prints a line for each."""
    for story in STORIES:
        variables = {"uuid": str(uuid.uuid4())}
        for number, step in enumerate(story["steps"], 1):
            request = fill(step["request"], variables)
            step = {**step, "http": fill(step["http"], variables)}
            answer, error = call(step, request)
            where = f"{story['title']}, step {number} ({step['call']})"
            if "error" in step:
                assert error, f"{where}: no error"
                expected = step["error"]
                assert error["code"] == expected["code"], f"{where}: {error}"
                assert error.get("httpStatus", expected["httpStatus"]) == expected["httpStatus"], f"{where}: {error}"
                assert set(expected["fields"]) <= set(error["fields"]), f"{where}: {error}"
                assert {"zh-CN", "en"} <= set(error["locales"]), f"{where}: {error}"
                continue
            assert not error, f"{where}: {error}"
            check(step["expect"], answer, where + ": ")
            if step["call"].endswith("/ReportEvent"):
                variables["event"] = answer["name"]
            if step["call"].endswith("/ListEventTransitions"):
                print("    " + " → ".join(t["actionDisplayName"] for t in answer["transitions"]))
        print(f"  ok: {story['title']}")
