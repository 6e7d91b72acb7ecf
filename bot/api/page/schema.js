// Reading JSON Schema as the description uses it: references, alternatives, and types in words.

export class Description {
  constructor(document) {
    this.document = document;
  }

  /** What a reference points to, or the thing itself. */
  resolve(part) {
    if (!part?.$ref) return part;
    return part.$ref.slice(2).split("/").reduce((at, name) => at[name], this.document);
  }

  /** The members of an object and of the objects in it: name, type, whether required, description. */
  members(schema, settings, prefix = "") {
    const whole = this.#flat(schema);
    const required = new Set(whole.required ?? []);
    return Object.entries(whole.properties ?? {}).flatMap(([name, part]) => [
      {
        name: `${prefix}${name}`,
        type: this.type(part, settings),
        required: required.has(name),
        description: part.description ?? this.resolve(part).description ?? "",
      },
      ...this.#within(part, settings, `${prefix}${name}`),
    ]);
  }

  #within(part, settings, name) {
    if (part.type === "array") {
      const kinds = part.items.anyOf ?? [part.items];
      return once(kinds.flatMap((kind) => this.members(kind, settings, `${name}[].`)), kinds.length);
    }
    return part.$ref ? this.members(part, settings, `${name}.`) : [];
  }

  /** The statuses that an answer of this shape can have. */
  statuses(schema) {
    const narrowed = schema?.allOf?.find((part) => part.properties?.status);
    return narrowed?.properties.status.enum ?? [];
  }

  /** The type in words; `asked` leaves out null, which only stands for leaving the member out. */
  type(schema, { asked = false } = {}) {
    if (schema.$ref) return this.type(this.resolve(schema));
    if (schema.anyOf) return [...new Set(schema.anyOf.map((part) => this.type(part)))].filter((words) => !asked || words !== "null").join(" or ");
    if (schema.title === "Status") return "a status";
    if ("const" in schema) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.join(" | ");
    if (schema.type === "array") return `list of ${schema.items.anyOf ? "objects" : this.type(schema.items)}`;
    if (schema.format === "date-time") return "time";
    return `${schema.type ?? "anything"}${limits(schema)}`;
  }

  get meanings() {
    return this.document.components.schemas.Status["x-meanings"];
  }

  /** Every operation: method, path and the rest. */
  get operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).filter(([method]) => method !== "head").map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
    );
  }

  #flat(schema) {
    const found = this.resolve(schema) ?? {};
    return found.allOf ? this.resolve(found.allOf[0]) : found;
  }
}

/** Alternatives told as one: what not all of them have is not always there, what differs is told with "or". */
function once(members, alternatives) {
  const byName = new Map();
  for (const member of members) byName.set(member.name, [...(byName.get(member.name) ?? []), member]);
  return [...byName.values()].map((same) => ({
    ...same[0],
    type: [...new Set(same.map((each) => each.type))].join(" or "),
    required: same.length === alternatives && same.every((each) => each.required),
  }));
}

function limits(schema) {
  if (schema.maxLength === undefined) return "";
  return schema.minLength ? `, ${schema.minLength}–${schema.maxLength} characters` : `, up to ${schema.maxLength} characters`;
}
