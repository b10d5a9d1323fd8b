"""The key and the check of requests, by CPython's own json and hashlib.

Reads a JSON object a line and answers each with one:
  {"intent", "user_id", "user_role", "message", "secret"}: `user_id` and
      `user_role` are JSON texts or null for absent, `secret` is 32 hex digits;
      answers {"canonical", "key", "check"} or {"error"}
  {"json": text}: answers {"canonical"} or {"error"}
  {"floats": [16 hex digits, ...]}: answers {"reprs": [...]}
"""

import hashlib
import json
import struct
import sys

MASK = (1 << 64) - 1


def rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def sip_round(v):
    v[0] = (v[0] + v[1]) & MASK
    v[1] = rotate(v[1], 13) ^ v[0]
    v[0] = rotate(v[0], 32)
    v[2] = (v[2] + v[3]) & MASK
    v[3] = rotate(v[3], 16) ^ v[2]
    v[0] = (v[0] + v[3]) & MASK
    v[3] = rotate(v[3], 21) ^ v[0]
    v[2] = (v[2] + v[1]) & MASK
    v[1] = rotate(v[1], 17) ^ v[2]
    v[2] = rotate(v[2], 32)


def siphash128(secret, data, c=1, d=3):
    """SipHash-c-d with 128 bits of output, as an integer."""
    k0, k1 = struct.unpack("<QQ", secret)
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D ^ 0xEE,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        for _ in range(c):
            sip_round(v)
        v[0] ^= word
    halves = []
    for place, constant in (2, 0xEE), (1, 0xDD):
        v[place] ^= constant
        for _ in range(d):
            sip_round(v)
        halves.append(v[0] ^ v[1] ^ v[2] ^ v[3])
    return halves[0] | halves[1] << 64


def key(intent, user_id, user_role, message):
    hashed = hashlib.md5(message.encode()).hexdigest()[:8] if message else ""
    members = {"intent": intent, "user_id": user_id, "user_role": user_role, "message_hash": hashed}
    text = json.dumps(members, sort_keys=True)
    return text, hashlib.md5(text.encode()).hexdigest()


def check(secret, message, text):
    data = message.encode()
    return siphash128(secret, struct.pack("<Q", len(data)) + data + text.encode())


def refuse(value):
    """Raises for what json.dumps writes although it is no JSON or no Unicode."""
    json.dumps(value, allow_nan=False)
    json.dumps(value, ensure_ascii=False).encode()


def members(pairs):
    # Refused even where a later member of the same name hides it.
    refuse(pairs)
    return dict(pairs)


def read(text):
    value = json.loads(text, object_pairs_hook=members)
    refuse(value)
    return value


def answer(request):
    if "floats" in request:
        numbers = [struct.unpack(">d", bytes.fromhex(bits))[0] for bits in request["floats"]]
        return {"reprs": [repr(number) for number in numbers]}
    try:
        if "json" in request:
            return {"canonical": json.dumps(read(request["json"]), sort_keys=True)}
        context = [
            "guest" if request[name] is None else read(request[name])
            for name in ("user_id", "user_role")
        ]
        text, digest = key(request["intent"], *context, request["message"])
    except (ValueError, RecursionError) as error:
        return {"error": str(error)}
    number = check(bytes.fromhex(request["secret"]), request["message"], text)
    return {"canonical": text, "key": digest, "check": f"{number:032x}"}


def check_vectors():
    """Requests on both sides of every length at which an implementation turns."""
    secret = bytes(range(16))
    for place, length in enumerate([0, 1, 7, 8, 9, 54, 55, 56, 63, 64, 119, 120, 128, 1000]):
        message = ("Where is my payment of 12 March? É" * 40)[:length]
        for user_id in "BEN-000001", "id" * (length // 2), {"b": 1, "a": [place, 0.5, None]}:
            text, digest = key("payment_status", user_id, "beneficiary", message)
            number = check(secret, message, text)
            yield {
                "intent": "payment_status",
                "user_id": user_id,
                "user_role": "beneficiary",
                "message": message,
                "secret": secret.hex(),
                "key": digest,
                "check": f"{number:032x}",
            }


if __name__ == "__main__":
    # The first of the published vectors of SipHash-2-4 with 128 bits of output.
    assert siphash128(bytes(range(16)), b"", 2, 4).to_bytes(16, "little").hex() == (
        "a3817f04ba25a8e66df67214c7550293"
    )
    if sys.argv[1:] == ["--check-vectors"]:
        for vector in check_vectors():
            print(json.dumps(vector))
    else:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
