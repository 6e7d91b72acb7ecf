// A command that is being typed: its name, its options as chips, and a place to add further ones.

import { complete } from "./acts.js";
import { el } from "./dom.js";
import { OptionField } from "./field.js";
import { TYPE, offers } from "./options.js";
import { highlighted, hush, suggest, suggesting, takesKey } from "./suggestions.js";

const PAUSE_MS = 200; // a bot is asked when the typing pauses

export class CommandLine {
  constructor(leaf, { given = {}, onSend, onLeave, onChange }) {
    Object.assign(this, { leaf, onSend, onLeave, onChange, fields: [], asked: 0, timer: 0 });
    this.tail = this.makeTail();
    this.hint = el("div", { class: "composer-hint", role: "alert" });
    const name = el("span", { class: "command-name" }, `/${leaf.shown}`);
    this.node = el("div", { class: "command-line", role: "group", "aria-label": `Command /${leaf.shown}` }, name, this.tail);
    this.node.addEventListener("focusout", ({ relatedTarget }) => this.node.contains(relatedTarget) || hush());
    for (const option of leaf.options) if (option.required || option.name in given) this.add(option);
    for (const field of this.fields) this.prefill(field, given[field.option.name]);
    this.retail();
  }

  prefill(field, value) {
    if (typeof value === "string") field.fill(value);
    else if (value) field.fill(value.text, value.value);
  }

  makeTail() {
    return el("input", {
      class: "tail",
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-label": "Add an option",
      autocomplete: "off",
      spellcheck: "false",
      on: {
        input: () => this.tailTyped(),
        focus: () => this.showRest(),
        keydown: (event) => this.key(event, null),
      },
    });
  }

  get rest() {
    return this.leaf.options.filter((each) => !this.fields.some((field) => field.option === each));
  }

  add(option) {
    const field = new OptionField(option, this);
    this.fields.push(field);
    this.node.insertBefore(field.node, this.tail);
    return field;
  }

  retail() {
    const count = this.rest.length;
    this.tail.placeholder = count ? `+${count} optional` : "";
    this.tail.size = Math.max(this.tail.placeholder.length, 4);
    this.onChange?.();
  }

  /** Go to what was typed last, else to the first field that still needs something, else to the end. */
  focus() {
    const open = this.fields.find((each) => each.option.required && each.found.error);
    const typed = this.fields.findLast((each) => each.text && !each.picked);
    (typed?.input ?? open?.input ?? this.tail).focus();
  }

  // The end of the line, where options are added

  tailTyped() {
    const typed = this.tail.value;
    const named = /^(\S+?)(:| )$/.exec(typed);
    const option = named && this.rest.find((each) => each.shown_name === named[1] || each.name === named[1]);
    if (option) this.take(option);
    else this.showRest();
  }

  showRest() {
    const typed = this.tail.value.trim().toLowerCase();
    const fits = this.rest.filter((each) => each.shown_name.toLowerCase().startsWith(typed));
    const items = fits.map((each) => ({ label: each.shown_name, detail: each.shown_description, value: each }));
    const header = el("span", {}, el("strong", {}, `/${this.leaf.shown}`), ` ${this.leaf.description}`);
    suggest(this.tail, { items, header, label: "Options", calm: !typed, pick: (item) => this.take(item.value) });
  }

  take(option) {
    this.tail.value = "";
    hush();
    const field = this.add(option);
    this.retail();
    field.input.focus();
  }

  // What the fields tell

  changed() {
    this.onChange?.();
  }

  typed(field) {
    this.onChange?.();
    this.offer(field);
  }

  focused(field) {
    this.hint.textContent = "";
    this.offer(field);
  }

  offer(field) {
    clearTimeout(this.timer);
    this.asked += 1;
    if (field.option.type === TYPE.FILE) return hush();
    const typed = field.picked?.text === field.text ? "" : field.text;
    if (field.option.autocomplete) {
      const turn = this.asked;
      this.list(field, [], "Loading options…");
      this.timer = setTimeout(() => this.ask(field, turn), PAUSE_MS);
    } else {
      const found = offers(field.option, typed);
      this.list(field, found ?? [], found === null ? "" : "No options match your search.");
    }
  }

  async ask(field, turn) {
    let items = [];
    let empty = "No options match your search.";
    try {
      const told = await complete(this.leaf.path, field.option.name, field.text, this.others(field));
      items = told.choices.map((each) => ({ label: each.name, value: each.value }));
    } catch {
      empty = "Loading options failed.";
    }
    if (turn === this.asked && document.activeElement === field.input) this.list(field, items, empty);
  }

  /** What the other fields hold so far, for a completion that depends on them. */
  others(field) {
    const rest = this.fields.filter((each) => each !== field && each.option.type !== TYPE.FILE);
    const found = rest.map((each) => [each.option.name, each.found.value]);
    return Object.fromEntries(found.filter(([, value]) => value !== undefined));
  }

  list(field, items, empty) {
    const { shown_name: name, shown_description: about } = field.option;
    const header = el("span", {}, el("strong", {}, name), ` ${about}`);
    suggest(field.input, { items, header, empty, label: name, pick: (item) => this.pick(field, item) });
  }

  pick(field, item) {
    field.fill(`${item.sign ?? ""}${item.label}`, item.value);
    hush();
    this.onChange?.();
    this.next(field);
  }

  next(field) {
    const at = this.fields.indexOf(field);
    const open = this.fields.slice(at + 1).find((each) => each.found.value === undefined);
    (open?.input ?? this.tail).focus();
  }

  // Keys

  key(event, field) {
    if (event.isComposing) return;
    const input = event.currentTarget;
    if (event.key === "Tab" && !event.shiftKey && this.tabbed(event, input)) return;
    if (takesKey(input, event)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.onLeave();
    } else if (event.key === "Backspace" && input.value === "") {
      event.preventDefault();
      this.erase(field);
    } else if (event.key === "ArrowLeft" && input.selectionEnd === 0) this.step(event, field, -1);
    else if (event.key === "ArrowRight" && input.selectionStart === input.value.length) this.step(event, field, 1);
  }

  tabbed(event, input) {
    const item = highlighted(input);
    if (!item) return false;
    event.preventDefault();
    if (input === this.tail) this.take(item.value);
    else this.pick(this.fields.find((each) => each.input === input), item);
    return true;
  }

  erase(field) {
    const at = field ? this.fields.indexOf(field) : this.fields.length;
    if (field && !field.option.required) {
      field.node.remove();
      this.fields.splice(at, 1);
      this.retail();
    }
    const before = this.fields[at - 1];
    if (before) before.input.focus();
    else this.onLeave();
  }

  step(event, field, by) {
    const stops = [...this.fields.map((each) => each.input), this.tail];
    const next = stops[stops.indexOf(field?.input ?? this.tail) + by];
    if (!next || (suggesting(event.currentTarget) && event.currentTarget.type === "file")) return;
    event.preventDefault();
    next.focus();
  }

  send() {
    const wrong = this.fields.filter((each) => each.check());
    if (wrong.length) {
      wrong[0].input.focus();
      this.hint.textContent = `${wrong[0].option.shown_name}: ${wrong[0].check()}`;
      return;
    }
    hush();
    const values = this.fields.map((each) => [each.option.name, each.found.value]);
    this.onSend(this.leaf, Object.fromEntries(values.filter(([, value]) => value !== undefined)));
  }

  /** What a reload needs to bring the line back; a file has to be chosen again. */
  draft() {
    const kept = this.fields.filter((each) => each.option.type !== TYPE.FILE);
    const given = kept.map((each) => [each.option.name, each.picked ?? each.text]);
    return { path: this.leaf.path, given: Object.fromEntries(given) };
  }
}
