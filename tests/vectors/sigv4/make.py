"""Requests as botocore signs them for S3, in headers and in the query: a second implementation of Signature V4.

    python3 make.py > botocore.jsonl        # with botocore (Apache-2.0) in Python's path

Each line is a request as it goes over the wire: {"method", "target", "headers": [[name, value]], "form"}.
Everything here is chosen with a seed, so the same botocore makes the same lines.
"""
import datetime
import json
import random
import urllib.parse

import botocore
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY = Credentials("AKIDZEROSTORTEST", "secret/of+forty=characters/that/is/no/one")
NOW = datetime.datetime(2026, 11, 30, 1, 2, 3, tzinfo=datetime.timezone.utc)
KEYS = [
    "a", "a b", "a+b", "a%b", "a//b", "/a", "a/", "a/../b", "./a", "ä/ö ü", "日本語", "🙂", "*'()!", "a~b-c_d.e",
    "a;b=c&d", "a?b#c", "\u0001", "a:b@c,d$e", "%2F", "back\\slash", "tab\there",
]
QUERIES = [
    {}, {"acl": ""}, {"list-type": "2", "prefix": "a b+c", "delimiter": "/"}, {"uploads": ""},
    {"partNumber": "7", "uploadId": "x~y/z="}, {"versionId": "null"}, {"prefix": "ä&=?", "max-keys": "0"},
    {"a-b": "1", "a": "2", "A": "3", "a.b": "4"},
]
HEADERS = [
    [], [("Content-Type", "text/plain; charset=utf-8")], [("x-amz-meta-A", "  many   spaces  ")],
    [("x-amz-meta-b", "1"), ("x-amz-meta-a", "2")], [("x-amz-acl", "public-read"), ("Range", "bytes=0-9")],
    [("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="), ("x-amz-storage-class", "STANDARD")],
]


class Clock:
    """botocore asks for the time by itself."""

    @staticmethod
    def now(remove_tzinfo=True):
        return NOW.replace(tzinfo=None) if remove_tzinfo else NOW


def one(chance):
    key = chance.choice(KEYS)
    path = "/bucket/" + urllib.parse.quote(key, safe="/~")
    query = chance.choice(QUERIES)
    host = chance.choice(["s3.example.com", "127.0.0.1:9000", "localhost"])
    url = f"http://{host}{path}"
    if query:
        url += "?" + "&".join(f"{k}={urllib.parse.quote(v, safe='-_.~')}" for k, v in query.items())
    method = chance.choice(["GET", "PUT", "HEAD", "DELETE", "POST"])
    body = chance.choice([b"", b"Welcome", b"\0" * 100])
    request = AWSRequest(method=method, url=url, data=body, headers=dict(chance.choice(HEADERS)))
    request.headers["Host"] = host
    form = chance.choice(["header", "query"])
    region = chance.choice(["us-east-1", "eu-central-1", "zerostor"])
    if form == "header":
        auth.S3SigV4Auth(KEY, "s3", region).add_auth(request)
    else:
        request.data = b""
        auth.S3SigV4QueryAuth(KEY, "s3", region, expires=chance.choice([1, 600, 604800])).add_auth(request)
    parts = urllib.parse.urlsplit(request.url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    return {"method": method, "target": target, "headers": [list(h) for h in request.headers.items()], "form": form}


def main():
    auth.get_current_datetime = Clock.now
    chance = random.Random(20261130)
    print(json.dumps({"botocore": botocore.__version__, "accessKey": KEY.access_key, "secretKey": KEY.secret_key,
                      "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ")}))
    for _ in range(200):
        print(json.dumps(one(chance), ensure_ascii=True))


main()
