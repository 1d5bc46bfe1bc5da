#!/usr/bin/env python3
"""Writes random requests with the signatures that botocore gives them, one JSON object a line.

    .venv/bin/python scripts/sigv4_cases.py --cases 400 --seed 1 >Tests/Fixtures/objectstore/sigv4.jsonl

botocore signs S3 requests with code of its own, so it is the reference for Sources/ObjectStore. Keys of a row:

    auth               "header" or "query" (a presigned URL)
    method, origin, path, query, headers
                       the request, nothing encoded; path begins with a slash
    payload            the content as text; null for UNSIGNED-PAYLOAD
    key, secret, token, region, time, lifetime
                       time in seconds since 1970; lifetime of a presigned URL in seconds
    signed, signature  the names of the signed header fields, and the signature

A Date field of the request is left out: botocore replaces it.

The same seed gives the same rows. Needs botocore, which comes with LiteLLM's proxy.
"""

import argparse
import datetime
import json
import random
import sys
import types
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SPECIALS = list("-._~!$&'()*+,;=:@ %\"<>[]{}|^`#?") + ["ä", "й", "中", "😀", "%20", "..", "./"]
METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"]
HOSTS = ["s3.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com", "127.0.0.1", "MinIO", "store.example.org", "[::1]"]
REGIONS = ["us-east-1", "eu-central-1", "auto", "garage"]
PARAMETERS = ["uploads", "uploadId", "partNumber", "list-type", "prefix", "max-keys", "a", "a-b", "A"]
PARAMETERS += ["response-content-type"]
FIELDS = ["content-type", "Cache-Control", "range", "x-amz-meta-note", "X-Amz-Storage-Class", "x-amz-acl"]
FIELDS += ["if-none-match"]


def text(draw, least, most, specials=0.3):
    pieces = [
        draw.choice(SPECIALS) if draw.random() < specials else "".join(draw.choices(LETTERS, k=draw.randint(1, 6)))
        for _ in range(draw.randint(least, most))
    ]
    return "".join(pieces)


def field_value(draw):
    words = ["".join(draw.choices(LETTERS + "/;=,-", k=draw.randint(1, 12))) for _ in range(draw.randint(1, 3))]
    space = draw.choice([" ", "  ", "   "])
    return draw.choice(["", " "]) + space.join(words) + draw.choice(["", "  "])


def row(draw):
    scheme = draw.choice(["http", "https"])
    port = draw.choice(["", "", ":80", ":443", ":9000"])
    names = draw.sample(PARAMETERS, k=draw.choice([0, 0, 1, 2, 4]))
    is_query = draw.random() < 0.5
    query = [[name, text(draw, 0, 3)] for name in names]
    # botocore keeps one value of a name in a presigned URL.
    if query and not is_query and draw.random() < 0.3:
        query.append([query[0][0], text(draw, 0, 2)])
    headers = [[name, field_value(draw)] for name in draw.sample(FIELDS, k=draw.choice([0, 1, 2, 3]))]
    if headers and draw.random() < 0.2:
        headers.append([headers[0][0], field_value(draw)])
    return {
        "auth": "query" if is_query else "header",
        "method": draw.choice(METHODS),
        "origin": f"{scheme}://{draw.choice(HOSTS)}{port}",
        "path": "/" + "/".join(text(draw, 0, 3, 0.2) for _ in range(draw.randint(1, 3))),
        "query": query,
        "headers": headers,
        "payload": None if is_query or draw.random() < 0.3 else text(draw, 0, 5),
        "key": "AKIA" + "".join(draw.choices(LETTERS.upper(), k=16)),
        "secret": "".join(draw.choices(LETTERS + "+/", k=40)),
        "token": text(draw, 4, 8) if draw.random() < 0.3 else None,
        "region": draw.choice(REGIONS),
        "time": draw.randint(0, 4_102_444_800),
        "lifetime": draw.randint(1, 604_800),
    }


def encoded(value, safe=""):
    return urllib.parse.quote(value, safe="-._~" + safe)


def signed(case):
    """The names of the signed fields and the signature, by botocore."""
    instant = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *_: instant
    credentials = botocore.credentials.Credentials(case["key"], case["secret"], case["token"])
    url = case["origin"] + encoded(case["path"], "/")
    if case["query"]:
        url += "?" + "&".join(f"{encoded(name)}={encoded(value)}" for name, value in case["query"])
    request = botocore.awsrequest.AWSRequest(case["method"], url, data=(case["payload"] or "").encode())
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    if case["auth"] == "query":
        request.data = ""
        signer = botocore.auth.S3SigV4QueryAuth(credentials, "s3", case["region"], case["lifetime"])
        signer.add_auth(request)
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query))
        return answer["X-Amz-SignedHeaders"], answer["X-Amz-Signature"]
    settings = {"payload_signing_enabled": case["payload"] is not None}
    request.context["client_config"] = types.SimpleNamespace(s3=settings)
    botocore.auth.S3SigV4Auth(credentials, "s3", case["region"]).add_auth(request)
    answer = dict(part.strip().split("=", 1) for part in request.headers["Authorization"].split(" ", 1)[1].split(","))
    return answer["SignedHeaders"], answer["Signature"]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", type=int, default=400)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    draw = random.Random(options.seed)
    for _ in range(options.cases):
        case = row(draw)
        case["signed"], case["signature"] = signed(case)
        json.dump(case, sys.stdout, ensure_ascii=False, separators=(",", ":"))
        print()


if __name__ == "__main__":
    main()
