"""Discord's limits on embeds."""

from sandbox import rules
from sandbox.errors import Form, Json

MAX_EMBEDS = 10
MAX_FIELDS = 25
MAX_TOTAL = 6000
SHOWN = ("fields", "image", "thumbnail", "footer", "author")


def check_embeds(form: Form, body: Json) -> list[Json]:
    """Check a body's embeds, each and together; give them as they will be shown."""
    embeds = rules.rows(form, body, "embeds", most=MAX_EMBEDS)
    for index, embed in enumerate(embeds):
        _check_embed(form.at("embeds", index), embed)
    if sum(map(_size, embeds)) > MAX_TOTAL:
        form.at("embeds").add("MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_TOTAL}")
    return [{**embed, "type": "rich"} for embed in embeds]


def _check_embed(form: Form, embed: Json) -> None:
    rules.text(form, embed, "title", most=256)
    rules.text(form, embed, "description", most=4096)
    if not any(str(embed.get(key) or "").strip() for key in ("title", "description", *SHOWN)):
        rules.required(form.at("description"))
    rules.address(form, embed, "url")
    rules.integer(form, embed, "color", least=0, most=0xFFFFFF)
    rules.text(form.at("footer"), embed.get("footer") or {}, "text", most=2048, needed="footer" in embed)
    rules.text(form.at("author"), embed.get("author") or {}, "name", most=256, needed="author" in embed)
    for key in ("image", "thumbnail"):
        if embed.get(key):
            rules.address(form.at(key), embed[key], "url", schemes=("http", "https", "attachment"))
    for index, field in enumerate(rules.rows(form, embed, "fields", most=MAX_FIELDS)):
        at = form.at("fields", index)
        rules.text(at, field, "name", most=256, needed=True)
        rules.text(at, field, "value", most=1024, needed=True)


def _size(embed: Json) -> int:
    parts = [embed.get("title"), embed.get("description")]
    parts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for field in embed.get("fields") or []:
        parts += [field.get("name"), field.get("value")] if isinstance(field, dict) else []
    return sum(len(part) for part in parts if isinstance(part, str))


def embed_text(embed: Json) -> str:
    """Everything a reader sees in an embed, a line each."""
    lines = [(embed.get("author") or {}).get("name"), embed.get("title"), embed.get("description")]
    for field in embed.get("fields") or []:
        lines += [field["name"], field["value"]]
    lines.append((embed.get("footer") or {}).get("text"))
    return "\n".join(line for line in lines if line)
