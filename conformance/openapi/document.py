"""The document: whether it is sound by itself, and made ready to be asked about on a site."""

import json
import pathlib
import re

import jsonschema
import openapi_spec_validator
import referencing
import referencing.jsonschema

PATH = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
METHODS = ("delete", "get", "patch", "post", "put")
# The ids of its examples, and what they name on a site.
NAMED = {
    "https://hello.example.com": "app",
    "41ogj3wyesf4bymms6zfhunuey": "user",
    "h3q8b1gzpfdx5n7wk9ycr4sjte": "admin",
    "t6k1m9xw4bdy7reqz3fnc8hupa": "team",
    "c5r8u2nq7jfo4ygbd9wse1kmxz": "channel",
    "p9d4f7hs2kzt6mwxe1ya3nqbcr": "post",
}


def load():
    return json.loads(PATH.read_text(encoding="utf-8"))


def operations(document):
    """Every operation by its id: (label, tag, definition)."""
    return {
        operation["operationId"]: (f"{method.upper()} {path}", operation["tags"][0], operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def check(document):
    """Whether it is OpenAPI 3.1, and every example fits its schema. Gives how many examples there are."""
    openapi_spec_validator.validate(document)
    resource = referencing.Resource.from_contents(document, referencing.jsonschema.DRAFT202012)
    registry = referencing.Registry().with_resource("urn:document", resource)
    count = 0

    def fits(pointer, example):
        nonlocal count
        count += 1
        schema = {"$ref": f"urn:document#{pointer}"}
        jsonschema.Draft202012Validator(schema, registry=registry).validate(example)

    def walk(value, pointer):
        if isinstance(value, list):
            for at, item in enumerate(value):
                walk(item, f"{pointer}/{at}")
        elif isinstance(value, dict):
            if "schema" in value and "example" in value:
                fits(f"{pointer}/schema", value["example"])
            if isinstance(value.get("examples"), list):
                for example in value["examples"]:
                    fits(pointer, example)
            for name, item in value.items():
                if name not in ("example", "examples"):
                    walk(item, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")

    walk(document, "")
    if count < 50:
        raise ValueError(f"only {count} examples were found")
    return count


def prepare(document, names, tokens):
    """The document for a site: its examples name what is there, and what is written has no member that it does not tell."""
    text = json.dumps(document)
    for example, kind in NAMED.items():
        if example not in text:
            raise ValueError(f"no example names {example}")
        text = text.replace(example, names[kind])
    document = json.loads(text)
    for operation, token in tokens.items():
        body = operations(document)[operation][2]["requestBody"]["content"]
        body["application/x-www-form-urlencoded"]["example"]["token"] = token
    schemas = document["components"]["schemas"]
    asked = set()

    def reach(value):
        for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(value)):
            if name not in asked:
                asked.add(name)
                reach(schemas[name])

    for _, _, operation in operations(document).values():
        reach([operation.get("requestBody"), operation.get("parameters")])
    for name, schema in schemas.items():
        if name not in asked and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return document

