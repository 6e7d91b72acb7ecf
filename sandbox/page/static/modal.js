// The form a bot opens: shown over everything until it is sent or closed; a reload brings it back as it was.

import { dismiss, submit } from "./acts.js";
import { button, el, find, uid } from "./dom.js";
import { formField } from "./form.js";
import { refused } from "./notices.js";
import { forms, own } from "./session.js";
import { here, listen, world } from "./store.js";

const FOCUSABLE = 'button:not(:disabled), input:not(:disabled), textarea, [tabindex="0"]';

let open = null; // {interaction, sent, frame, fields, ...}

export function startModals() {
  listen(["interactions", "ready", "person"], look);
}

function look() {
  if (!world.ready) return;
  if (open) follow();
  if (open) return;
  const found = [...world.interactions.values()].reverse().find((each) => each.modal && own.has(each.id));
  if (found) show(found);
}

/** See what became of the form that is open. */
function follow() {
  const { interaction, sent } = open;
  const now = world.interactions.get(interaction.id);
  const answer = sent && world.interactions.get(sent);
  if (answer?.status === "answered") close();
  else if (answer?.status === "failed") failed("Something went wrong. Try again.");
  else if (!now || open.as !== here.me || (!now.modal && !open.busy)) close();
}

function show(interaction) {
  const { modal } = interaction;
  const origin = document.activeElement;
  const title = uid("form");
  const kept = forms.get(interaction.id) ?? {};
  const changed = () => forms.set(interaction.id, Object.fromEntries(fields.map((each) => [each.id, each.draft()])));
  const parts = modal.components.map((each) => formField(each, kept, changed));
  const fields = parts.filter((each) => each.id);
  const problem = el("div", { class: "form-problem", role: "alert" });
  const sending = el("button", { type: "submit", class: "button primary" }, "Submit");
  const form = el(
    "form",
    { class: "form", novalidate: true, on: { submit: send } },
    el("header", {}, el("h2", { id: title, dir: "auto" }, modal.title), button("✕", cancel, { class: "plain", "aria-label": "Close" })),
    el("p", { class: "form-warning" }, `This form will be submitted to ${world.places.bot.name}. Do not share passwords or other sensitive information.`),
    el("div", { class: "form-fields" }, parts.map((each) => each.node)),
    problem,
    el("footer", {}, button("Cancel", cancel, { class: "button secondary" }), sending),
  );
  const settings = { class: "modal", role: "dialog", "aria-modal": "true", "aria-labelledby": title, on: { keydown: keys } };
  const frame = el("div", { class: "backdrop" }, el("div", settings, form));
  open = { interaction, fields, frame, problem, sending, origin, as: here.me, sent: null, busy: false };
  find("overlays").append(frame);
  document.body.classList.add("modal-open");
  find("app").inert = find("strip").inert = true;
  (form.querySelector(".form-fields input, .form-fields textarea, .form-fields button") ?? sending).focus();
}

function keys(event) {
  if (event.key === "Escape" && !event.defaultPrevented) {
    event.preventDefault();
    cancel();
  }
  if (event.key !== "Tab") return;
  const stops = [...open.frame.querySelectorAll(FOCUSABLE)];
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement === edge) {
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }
}

async function send(event) {
  event.preventDefault();
  if (open.busy) return;
  const wrong = open.fields.filter((each) => each.check());
  if (wrong.length) {
    wrong[0].focus();
    return;
  }
  const current = open;
  busy(true);
  open.problem.textContent = "";
  const values = open.fields.map((each) => [each.id, each.value()]).filter(([, value]) => value !== undefined);
  try {
    const told = await submit(current.interaction, Object.fromEntries(values));
    current.sent = told.interaction;
    look();
  } catch (error) {
    if (open === current) failed(error.message);
  }
}

function busy(on) {
  open.busy = on;
  open.sending.classList.toggle("busy", on);
}

/** Say what went wrong and leave everything as it was filled in. */
function failed(words) {
  busy(false);
  open.sent = null;
  open.problem.textContent = words;
}

function cancel() {
  const { interaction } = open;
  interaction.modal = null;
  close();
  refused(dismiss(interaction));
}

function close() {
  const { frame, origin, interaction } = open;
  open = null;
  forms.set(interaction.id, null);
  frame.remove();
  document.body.classList.remove("modal-open");
  find("app").inert = find("strip").inert = false;
  const again = origin?.isConnected ? origin : document.querySelector(".area, .tail");
  again?.focus();
}
