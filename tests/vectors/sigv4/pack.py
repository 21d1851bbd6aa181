"""The cases of awslabs/aws-c-auth's Signature V4 suite, each in a line, so that they are one file and not 380.

    python3 pack.py CHECKOUT/tests/aws-signing-test-suite/v4 > aws-c-auth.jsonl

Each line is a case: {"name": its folder, "files": {name: text}}. Nothing is changed.
"""
import json
import pathlib
import sys

for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    files = {path.name: path.read_bytes().decode() for path in sorted(folder.iterdir())}
    print(json.dumps({"name": folder.name, "files": files}))
