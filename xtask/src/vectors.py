"""Cache keys by CPython's own json and hashlib.

Reads lines {"intent", "user_context", "message", ...} and writes each with its
"canonical" text and its "key"; with --check, compares those in the file instead.
"""

import hashlib
import json
import platform
import sys

SHOWN = 10  # mismatches worth printing


def recompute(request):
    """The text that is hashed, and the key."""
    user = request["user_context"]
    message = request["message"]
    parts = {
        "intent": request["intent"],
        "user_id": user.get("user_id", "guest"),
        "user_role": user.get("user_role", "guest"),
        "message_hash": hashlib.md5(message.encode()).hexdigest()[:8] if message else "",
    }
    text = json.dumps(parts, sort_keys=True)
    return text, hashlib.md5(text.encode()).hexdigest()


def main(arguments):
    check = "--check" in arguments
    (path,) = [one for one in arguments if one != "--check"]
    # Integers of any length are keys too; CPython's limit is against hostile input.
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    count, wrong = 0, 0
    try:
        lines = open(path, encoding="utf-8")
    except OSError as error:
        sys.exit(f"cannot read the vectors: {error}")
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                request = json.loads(line)
                canonical, key = recompute(request)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                sys.exit(f"{path}:{number}: {type(error).__name__}: {error}")
            count += 1
            if not check:
                print(json.dumps({**request, "canonical": canonical, "key": key}))
                continue
            for name, expect in (("canonical", canonical), ("key", key)):
                if request.get(name) != expect:
                    wrong += 1
                    if wrong <= SHOWN:
                        print(f"{path}:{number}: {name} is {request.get(name)!r}, should be {expect!r}")
    if check:
        python = f"{platform.python_implementation()} {platform.python_version()}"
        print(f"{count} keys recomputed by {python}, {wrong} differences")
        if wrong or not count:
            sys.exit(1)


main(sys.argv[1:])
