// The reference, made from the description: every operation with what it takes and what it answers.

import { el, fill, find, rich } from "./dom.js";
import { code, pretty } from "./json.js";

/** Show every operation and every status. */
export function showReference(description) {
  const { operations } = description;
  fill(find("operations"), contents(operations), operations.map((each) => operation(description, each)));
  fill(find("meanings"), meanings(description.meanings));
  find("statuses").hidden = false;
}

/** Say that there is nothing to show. */
export function showNoReference(words) {
  fill(find("operations"), el("p", { class: "problem" }, `The description could not be read. ${words} Reload the page to try again; the playground works all the same.`));
}

function contents(operations) {
  const line = (each) => el("li", {}, el("a", { href: `#${each.operationId}` }, method(each.method), el("span", {}, each.path)));
  return el("ul", { class: "contents", "aria-label": "Operations" }, operations.map(line));
}

function method(name) {
  return el("span", { class: `method ${name.toLowerCase()}` }, name);
}

function operation(description, each) {
  const answers = Object.entries(each.responses);
  const good = answers.find(([status]) => status === "200")?.[1];
  return el(
    "article",
    { class: "operation", id: each.operationId, "aria-labelledby": `${each.operationId}-title` },
    el("h3", { id: `${each.operationId}-title` }, method(each.method), el("code", {}, each.path)),
    el("p", { class: "summary" }, each.summary),
    each.description ? el("p", {}, rich(each.description)) : null,
    el("p", { class: "note" }, rich(who(each.security))),
    takes(description, each),
    gives(description, good),
    errors(description, answers.filter(([status]) => status !== "200")),
  );
}

function who(security) {
  if (!security.length) return "Asked by anybody, without a key.";
  if (security.some((each) => "productKey" in each)) return "Asked with `Authorization: Bearer` and the product's API key.";
  return "Asked with `Authorization: Bearer` and the operator's token, if one is set.";
}

function takes(description, each) {
  const media = Object.values(each.requestBody?.content ?? {})[0];
  const parameters = (each.parameters ?? []).map((part) => ({
    name: part.name,
    type: `${part.in}, ${description.type(part.schema)}`,
    required: part.required,
    description: part.description,
  }));
  const members = media ? description.members(media.schema, { asked: true }) : parameters;
  return [members.length ? listed("Takes", members.map((part) => member(part, { demands: true }))) : null, example("Example request", media)];
}

function gives(description, answer) {
  const media = Object.values(answer?.content ?? {})[0];
  const payload = media?.schema.contentSchema?.prefixItems[1];
  const members = media ? description.members(payload ?? media.schema) : [];
  const title = payload ? "The file says" : "A 200 holds";
  return [members.length ? listed(title, members.map((part) => member(part, {}))) : null, example("Example answer", media)];
}

function member(part, { demands }) {
  const needed = demands ? (part.required ? "required" : "optional") : part.required ? null : "not always there";
  return row([el("code", {}, part.name), el("small", {}, [needed, part.type].filter(Boolean).join(" · "))], rich(part.description));
}

function errors(description, answers) {
  const codes = answers.map(([status]) => status).join(", ");
  const lines = answers.map(([status, answer]) => line(description, status, answer));
  return el("details", { class: "listed" }, el("summary", {}, `Other answers: ${codes}`), el("dl", {}, lines));
}

function line(description, status, answer) {
  const media = Object.values(answer.content ?? {})[0];
  const statuses = description.statuses(media?.schema);
  const headers = Object.keys(answer.headers ?? {}).filter((name) => name !== "X-Request-Id");
  return row(
    [el("code", { class: `code-${status[0]}` }, status), statuses.length && statuses.length < 3 ? el("small", {}, statuses.join(" or ")) : null],
    [rich(answer.description), headers.length ? el("small", {}, "Headers: ", headers.join(", ")) : null],
  );
}

function listed(title, rows) {
  return el("section", { class: "listed" }, el("h4", {}, title), el("dl", {}, rows));
}

function row(term, words) {
  return el("div", {}, el("dt", {}, term), el("dd", {}, words));
}

function example(title, media) {
  const value = media?.example ?? Object.values(media?.examples ?? {})[0]?.value;
  return value === undefined ? null : el("details", {}, el("summary", {}, title), code(title, pretty(value)));
}

function meanings(all) {
  const entries = Object.entries(all).map(([status, { means, do: todo }]) =>
    el("div", {}, el("dt", {}, el("code", { class: status === "active" ? "code-2" : "" }, status)), el("dd", {}, rich(means), " ", el("span", { class: "todo" }, rich(todo)))),
  );
  return el("div", { class: "listed" }, el("dl", {}, entries));
}
