"""Validates Kubernetes manifests on stdin against the official schemas, strictly (no field that the
schema does not know), for every version named as an argument; prints them as one JSON list."""

import json
import sys

import kubernetes_validate
import yaml

documents = [d for d in yaml.safe_load_all(sys.stdin) if d]
faults = 0
for version in sys.argv[1:]:
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            print(f"{name}: {path}: {error.message} (Kubernetes {version})", file=sys.stderr)
            faults += 1
if faults:
    sys.exit(1)
json.dump(documents, sys.stdout)
