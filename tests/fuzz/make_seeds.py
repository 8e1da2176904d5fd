#!/usr/bin/env python3
"""Writes the seeds of the fuzzers' corpora, tests/fuzz/corpus/<target>/seed-*: small inputs that are right, or wrong in one
way, from which a fuzzer starts. What the fuzzers found stands beside them under other names and is not touched."""
import json
import pathlib
import re
import struct

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def seed(target: str, name: str, content: bytes | str) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content.encode() if isinstance(content, str) else content)


# AMQP by hand.
def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def long(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(channel: int, klass: int, number: int, arguments: bytes = b"") -> bytes:
    return frame(1, channel, struct.pack(">HH", klass, number) + arguments)


def table(*entries: tuple[bytes, bytes]) -> bytes:
    return long(b"".join(short(key) + value for key, value in entries))


def content(channel: int, number: int, arguments: bytes, body: bytes, properties: bytes = b"\0\0", cut: int = 4000) -> bytes:
    header = struct.pack(">HHQ", 60, 0, len(body)) + properties
    bodies = [body[at:at + cut] for at in range(0, len(body), cut)]
    return method(channel, 60, number, arguments) + frame(2, channel, header) + b"".join(frame(3, channel, part) for part in bodies)


def deliver(tag: int, body: bytes, **more) -> bytes:
    return content(1, 60, short(b"t") + struct.pack(">QB", tag, 0) + short(b"") + short(b"q"), body, **more)


STAMP = table((b"brokerlab-stamp", b"x" + long(bytes(40))))
EVERY_TYPE = table(
    (b"t", b"t\x01"), (b"b", b"b\xff"), (b"B", b"B\xff"), (b"s", b"s\xff\xff"), (b"u", b"u\xff\xff"), (b"I", b"I" + b"\xff" * 4),
    (b"i", b"i" + b"\xff" * 4), (b"l", b"l" + b"\xff" * 8), (b"f", b"f" + struct.pack(">f", .5)),
    (b"d", b"d" + struct.pack(">d", .5)), (b"D", b"D\x02" + struct.pack(">I", 150)), (b"T", b"T" + struct.pack(">Q", 1700000000)),
    (b"S", b"S" + long(b"text")), (b"x", b"x" + long(b"\1\2")), (b"V", b"V"), (b"A", b"A" + long(b"t\x01V")),
    (b"F", b"F" + table((b"k", b"t\0"))))


def nested(depth: int) -> bytes:
    inner = table()
    for _ in range(depth):
        inner = table((b"k", b"F" + inner))
    return inner


def frames() -> None:
    start = method(0, 10, 10, b"\0\x09" + table((b"product", b"S" + long(b"RabbitMQ"))) + long(b"PLAIN AMQPLAIN") + long(b"en_US"))
    tune = method(0, 10, 30, struct.pack(">HIH", 2047, 131072, 60))
    open_ok = method(0, 10, 41, short(b""))
    refusal = method(0, 10, 50, struct.pack(">H", 403) + short(b"ACCESS_REFUSED") + struct.pack(">HH", 10, 40))
    closed = method(1, 20, 40, struct.pack(">H", 404) + short(b"NOT_FOUND - no queue 'q' in vhost '/'") + struct.pack(">HH", 50, 10))
    answers = (method(1, 85, 11) + method(1, 60, 21, short(b"t")) + method(1, 50, 11, short(b"q") + struct.pack(">II", 1, 0)))
    confirms = method(1, 60, 80, struct.pack(">QB", 2, 1)) + method(1, 60, 120, struct.pack(">QB", 3, 0))
    returned = content(1, 50, struct.pack(">H", 312) + short(b"NO_ROUTE") + short(b"") + short(b"q"), b"x")
    got = content(1, 71, struct.pack(">QB", 1, 0) + short(b"") + short(b"q") + struct.pack(">I", 0), b"got")
    for name, stage, spoken in (
            ("handshake", 0, start + tune + open_ok), ("http", 0, b"HTTP/1.1 400 Bad Request\r\n\r\n"), ("version", 0, b"AMQP\0\1\0\0"),
            ("tls", 0, b"\x15\3\1\0\2\2\x46"), ("refused", 1, refusal), ("tune-small", 1, method(0, 10, 30, struct.pack(">HIH", 1, 100, 0))),
            ("open", 2, open_ok), ("close", 3, refusal), ("blocked", 3, method(0, 10, 60, short(b"low on memory")) + method(0, 10, 61)),
            ("answers", 4, answers + got + method(1, 50, 31, struct.pack(">I", 3)) + method(1, 20, 41)),
            ("deliveries", 5, deliver(1, b"one") + deliver(2, b"") + deliver(3, b"three", properties=b"\x20\0" + STAMP) + frame(8, 0, b"")),
            ("long-body", 5, deliver(1, b"L" * 9000)), ("confirms", 5, returned + confirms),
            ("cancel", 5, method(1, 60, 30, short(b"t") + b"\1") + deliver(1, b"late")), ("channel-closed", 5, closed),
            ("flow", 5, method(1, 20, 20, b"\0") + method(1, 20, 20, b"\1")), ("other-channel", 5, method(7, 20, 41)),
            ("too-much-body", 5, deliver(1, b"one")[:-12] + frame(3, 1, b"more than announced"))):
        seed("frames", name, bytes([stage]) + spoken)


def tables() -> None:
    seed("tables", "empty", table())
    seed("tables", "every-type", EVERY_TYPE)
    seed("tables", "nested", nested(20))
    seed("tables", "too-deep", nested(40))
    seed("tables", "stamp", STAMP)
    texts = b"".join(short(text) for text in (b"application/json", b"identity"))
    rest = b"\2\7" + short(b"c") + short(b"r") + short(b"10") + short(b"m") + struct.pack(">Q", 1700000000) + short(b"t") + short(b"u") + short(b"a")
    seed("tables", "properties", b"\xff\xf8" + texts + STAMP + rest)
    seed("tables", "start", struct.pack(">HH", 10, 10) + b"\0\x09" + EVERY_TYPE + long(b"PLAIN") + long(b"en_US"))
    seed("tables", "declare-ok", struct.pack(">HH", 50, 11) + short(b"q") + bytes(8))


def uris() -> None:
    for name, text in (("short", "amqp://h"), ("whole", "amqp://user:pass%40word@broker.example:5673/my%2Fvhost"),
                       ("tls", "amqps://[::1]:5671/%2F"), ("odd", "amqp://@:@[fe80::1%25eth0]/%e2%82%ac"), ("at", "amqp://a:p@ss@h:1/")):
        seed("uri", name, text)


def experiments() -> None:
    for name in ("work-queue", "shopping", "correction", "models-d1-d2", "quickstart", "known-answers/r1", "known-answers/f2-f4",
                 "known-answers/s1-s5-short", "known-answers/t1-short"):
        text = (ROOT / f"experiments/catalogue/{name}.json").read_text()
        document = json.loads(re.sub(r"//[^\"\n]*$", "", text, flags=re.M))
        for key in ("description", "question"):
            if key in document:
                document[key] = key
        seed("experiment", name.rsplit("/", 1)[-1], json.dumps(document, separators=(",", ":")))
    seed("experiment", "comments", '{\n  // a comment\n  "name": "x", /* another */ "load": [{"rate": 1}]\n}\n')
    seed("experiment", "patches", json.dumps({
        "name": "p", "topology": {"queues": [{"name": "q-{i}", "copies": 3}]}, "load": [{"name": "l", "publish": {"routing_key": "q-0"}}],
        "roles": [{"role": "w", "consume": {"queue": "q-{i}"}, "instances": 3}], "matrix": {"roles.w.consume.prefetch": [1, 5]},
        "variants": {"a": {}, "b": {"roles": {"0": {"effort": {"kind": "sleep", "seconds": 0.1}}}}}, "quick": {"phases": {"measure": "1s"}},
        "faults": [{"at": "1s", "kind": "kill", "target": "w", "restart_after": "1s"}], "thresholds": ["done.p99 < 50ms"]}))


def trimmed(value, longest: int):
    if isinstance(value, dict):
        return {key: trimmed(part, longest) for key, part in value.items()}
    if isinstance(value, list):
        return [trimmed(part, longest) for part in value[:longest]]
    return value


def results() -> None:
    for name in ("sparse", "work_queue", "broker_stall", "fanout_vs_direct", "hostile"):
        document = trimmed(json.loads((ROOT / f"tests/analysis/fixtures/{name}.json").read_text()), 2)
        document["runs"] = document["runs"][:1 if name != "fanout_vs_direct" else 2]
        for run in document["runs"]:
            for latency in run.get("latency", {}).values():
                if name != "work_queue" and isinstance(latency, dict):
                    latency.pop("hdr", None)
        seed("result", name.replace("_", "-"), json.dumps(document, separators=(",", ":")))
        if name == "hostile":
            seed("result", "page", "\n" + json.dumps(document, separators=(",", ":")))
    seed("result", "nothing", '{"schema_version": 1, "runs": []}')


# docs/recording.md, byte by byte.
def chunk(kind: int, records: list[bytes], claimed: int | None = None) -> bytes:
    size = {1: 40, 2: 72, 3: 32, 4: 32}[kind]
    body = b"".join(records)
    return struct.pack("<4sIIIQQ32x", b"CHNK", kind, size, 0, 64 + len(body), len(records) if claimed is None else claimed) + body


def recording_file(chunks: bytes, state: int = 2, header: dict | None = None) -> bytes:
    if header is None:
        one = {"index": 0, "name": "worker-0", "publisher": 0, "queue": "tasks"}
        header = {"process": "emitter-0", "kind": "load", "run": 1, "publishers": [one], "consumers": [one], "queues": ["tasks"],
                  "routes": [{"exchange": "", "routing_key": "tasks"}]}
    text = json.dumps(header).encode()
    first = 512 + len(text)
    return struct.pack("<8sIIQQQ216x", b"BLABREC1", 2, state, len(text), first, first + len(chunks)) + bytes(256) + text + chunks


def recordings() -> None:
    second = 1_000_000_000
    publishes = [struct.pack("<qqqIHBBq", second + i, second + i, second + i + 9, i, 0, 0, 1, second + i + 2) for i in range(4)]
    deliveries = [struct.pack("<qqqqqqIIHHIBBHI", *([second + i] * 6), 0, i, 0, 0, 5, 0, 2, 0, 0) for i in range(4)]
    events = [struct.pack("<qqIIq", second, second + 5, kind, 0, 1) for kind in range(1, 12)]
    details = [struct.pack("<QqIIQ", i, second, 0, i, 7) for i in range(2)]
    whole = chunk(1, publishes) + chunk(2, deliveries) + chunk(3, events) + chunk(4, details)
    seed("recording", "whole", recording_file(whole))
    seed("recording", "killed", recording_file(whole[:-40] + bytes(64), state=1))
    seed("recording", "cut", recording_file(whole)[:-50])
    seed("recording", "claims", recording_file(chunk(1, publishes, claimed=1 << 60)))
    seed("recording", "empty", recording_file(b""))
    seed("recording", "no-lists", recording_file(whole, header={"process": "x"}))
    seed("recording", "odd-lists", recording_file(whole, header={"publishers": [1, {}], "consumers": [{}], "queues": [1], "routes": [[]]}))


for write in (frames, tables, uris, experiments, results, recordings):
    write()
