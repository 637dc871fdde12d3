"""``docs/api.md``, written from the OpenAPI document: ``python -m api.reference``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
REFERENCE = Path(__file__).parent.parent / "docs" / "api.md"
HEAD = """# The HTTP API

Written from the service's OpenAPI document (`GET /openapi.json`) by `python -m api.reference`; a test holds that it is
current, and Schemathesis holds the service to it. JSON in and out. Where keys are in force, send
`Authorization: Bearer KEY`; the page uses a session cookie and the header `X-CSRF-Token` instead. Errors are
`application/problem+json` with `type`, `title`, `status`, `detail` and `request_id`; under `/v1/chat` and `/v1/models`
they come in the envelope of OpenAI's protocol. `?` marks what may be left out or missing.
"""


def page(openapi: Json) -> str:
    """The reference as Markdown."""
    schemas = openapi["components"]["schemas"]
    lines = [HEAD, "## Calls\n"]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            lines += _call(method, path, operation)
    lines += ["## Statuses\n", *_statuses(openapi), "", "## Forms\n"]
    for name in sorted(schemas):
        lines += _form(name, schemas[name])
    return "\n".join(lines).rstrip() + "\n"


def _call(method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"### `{method.upper()} {path}`\n"
    if "description" in operation:
        yield _plain(operation["description"]) + "\n"
    for one in operation.get("parameters", []):
        if one["in"] in ("path", "query"):
            left_out = "" if one["required"] else "?"
            yield f"- {one['in']} `{one['name']}{left_out}`: {_type(one['schema'])}"
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"- body, `{kind}`: {_type(body['schema'])}"
    errors = []
    for status, response in operation["responses"].items():
        if status >= "4":
            errors.append(status)
            continue
        given = [f"`{kind}`: {_type(one.get('schema', {}))}" for kind, one in response.get("content", {}).items()]
        yield f"- gives {status}" + (f", {' or '.join(given)}" if given else "")
    yield f"- else {', '.join(sorted(errors))}\n"


def _statuses(openapi: Json) -> Iterator[str]:
    from api.openapi import STATUSES

    for status, said in STATUSES.items():
        yield f"- **{status}** {said}"


def _form(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}\n"
    if "description" in schema:
        yield _plain(schema["description"]) + "\n"
    if "enum" in schema:
        yield _type(schema) + "\n"
        return
    required = schema.get("required", [])
    for field, described in schema.get("properties", {}).items():
        yield f"- `{field}{'' if field in required else '?'}`: {_type(described)}"
    yield ""


def _type(schema: Json) -> str:
    """A type in a few words: ``text``, ``list of Hit``, ``"en" or "zh"``."""
    if "$ref" in schema:
        return f"[{(name := schema['$ref'].rpartition('/')[2])}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "array":
            inner = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
            return f"list of {_type(inner)}"
        case "object":
            inner = schema.get("additionalProperties")
            return f"object of {_type(inner)}" if isinstance(inner, dict) and inner else "object"
        case "string":
            return (
                "file" if "contentMediaType" in schema or schema.get("format") == "binary" else "text" + _range(schema)
            )
        case None:
            return "anything"
        case kind:
            return str(kind) + _range(schema)


def _range(schema: Json) -> str:
    bounds = {
        "from": schema.get("minimum", schema.get("minLength")),
        "above": schema.get("exclusiveMinimum"),
        "to": schema.get("maximum", schema.get("maxLength")),
        "below": schema.get("exclusiveMaximum"),
    }
    said = " ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)
    unit = " characters" if said and ("minLength" in schema or "maxLength" in schema) else ""
    default = f", by default {schema['default']}" if schema.get("default") not in (None, "", [], {}) else ""
    return (f" ({said}{unit})" if said else "") + default


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def main() -> None:
    from api.server import create_app
    from rag.settings import Settings

    REFERENCE.write_text(page(create_app(Settings()).openapi()), encoding="utf-8")


if __name__ == "__main__":
    main()
