// The fields of a form: text, menus, files, radios and boxes, each with what may be wrong with it.

import { packed } from "./acts.js";
import { el, uid } from "./dom.js";
import { markdown } from "./markdown.js";
import { defaults, selectMenu } from "./select.js";

const MOST_TEXT = 4000;

/** Make one part of a form; a field also has id, value, draft, check and focus. */
export function formField(component, kept, changed) {
  if (component.type === 10) return { node: el("div", { class: "form-text", dir: "auto" }, markdown(component.content)) };
  const inner = component.type === 1 ? component.components[0] : component.component;
  const made = (MAKE[inner.type] ?? menu)(inner, kept[inner.custom_id], changed);
  return framed(component.label ?? inner.label ?? "", component.description, inner, made, changed);
}

function framed(label, description, inner, made, changed) {
  const name = uid("field");
  const problem = el("div", { class: "field-problem", id: `${name}-problem` });
  const required = inner.required !== false && inner.type !== 23;
  const star = required && el("span", { class: "star", "aria-hidden": "true" }, " *");
  const title = el("label", { class: "field-label", for: name, id: `${name}-label` }, label, star);
  made.input.id = name;
  made.input.setAttribute("aria-describedby", problem.id);
  if (made.group) made.input.setAttribute("aria-labelledby", `${name}-label`);
  else if (required) made.input.setAttribute("aria-required", "true");
  const check = () => {
    problem.textContent = made.wrong(required) ?? "";
    made.input.toggleAttribute("data-wrong", Boolean(problem.textContent));
    return problem.textContent;
  };
  made.node.addEventListener("input", () => problem.textContent && check());
  made.node.addEventListener("input", changed);
  const about = description && el("div", { class: "field-about" }, description);
  const node = el("div", { class: "field" }, title, about, made.node, problem);
  const focus = () => (made.group ? made.input.querySelector("input") : made.input).focus();
  return { node, id: inner.custom_id, value: made.value, draft: made.draft ?? made.value, check, focus };
}

function textInput(field, kept) {
  const most = field.max_length ?? MOST_TEXT;
  const least = field.min_length ?? 0;
  const long = field.style === 2;
  const settings = { class: "field-input", dir: "auto", placeholder: field.placeholder ?? "", maxlength: most, autocomplete: "off" };
  const input = el(long ? "textarea" : "input", long ? { ...settings, rows: "4" } : settings);
  input.value = kept ?? field.value ?? "";
  const count = el("span", { class: "field-count", "aria-hidden": "true" });
  const recount = () => {
    count.textContent = field.max_length || long ? `${input.value.length}/${most}` : "";
  };
  input.addEventListener("input", recount);
  recount();
  const wrong = (required) => {
    if (required && !input.value) return "This field is required.";
    if (input.value && input.value.length < least) return `Must be ${least} or more in length.`;
    return null;
  };
  return { node: el("div", { class: "field-frame" }, input, count), input, wrong, value: () => input.value };
}

function menu(field, kept, changed) {
  let values = kept ?? defaults(field);
  const chosen = (now) => {
    values = now;
    changed();
    face.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const least = field.required === false ? 0 : field.min_values;
  const face = selectMenu(field, { values, chosen, least, label: field.placeholder || "Make a selection" });
  return { node: el("div", {}, face), input: face, value: () => values, wrong: (required) => amiss(field, values, required) };
}

function amiss(field, values, required) {
  const least = field.min_values ?? 1;
  if (!values.length) return required ? "This field is required." : null;
  return values.length < least ? `Choose at least ${least}.` : null;
}

function upload(field) {
  const most = field.max_values ?? 1;
  let files = [];
  const input = el("input", { type: "file", class: "field-input", multiple: most > 1 });
  input.addEventListener("change", () => {
    files = [];
    Promise.all([...input.files].map(packed)).then((all) => {
      files = all;
    });
  });
  const wrong = (required) => {
    if (input.files.length > most) return `Choose at most ${most}.`;
    if (input.files.length && !files.length) return "The file is being read; try again.";
    return amiss(field, files, required);
  };
  return { node: el("div", {}, input), input, wrong, value: () => (files.length ? files : undefined), draft: () => undefined };
}

const group = (multiple) => (field, kept) => {
  const name = uid("group");
  const before = kept ?? defaults(field);
  const inputs = field.options.map((each) => {
    const settings = { type: multiple ? "checkbox" : "radio", name, value: each.value, checked: before.includes(each.value) };
    return el("input", settings);
  });
  const rows = field.options.map((each, index) => {
    const about = each.description && el("small", {}, each.description);
    return el("label", { class: "choice" }, inputs[index], el("span", { dir: "auto" }, each.label, about));
  });
  const box = el("div", { class: "choices", role: multiple ? "group" : "radiogroup" }, rows);
  const values = () => inputs.filter((each) => each.checked).map((each) => each.value);
  return { node: box, input: box, group: true, value: values, wrong: (required) => amiss(field, values(), required) };
};

function box(field, kept) {
  const input = el("input", { type: "checkbox", checked: kept ?? field.default ?? false });
  return { node: el("div", { class: "choices" }, input), input, value: () => input.checked, wrong: () => null };
}

const MAKE = { 4: textInput, 19: upload, 21: group(false), 22: group(true), 23: box };
