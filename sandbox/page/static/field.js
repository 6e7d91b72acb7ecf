// One option of a command that is being typed: its name and what stands in it, as a chip.

import { packed } from "./acts.js";
import { el } from "./dom.js";
import { TYPE, resolve } from "./options.js";

export class OptionField {
  /** `line` is told of everything: typed, focused, key, changed. */
  constructor(option, line) {
    this.option = option;
    this.picked = null;
    this.file = null;
    this.tried = false;
    this.input = option.type === TYPE.FILE ? this.makeUpload(line) : this.makeInput(line);
    const name = el("span", { class: "chip-name" }, option.shown_name);
    this.node = el("label", { class: "chip" }, name, this.input);
  }

  makeInput(line) {
    return el("input", {
      class: "chip-input",
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-label": `${this.option.shown_name}: ${this.option.shown_description}`,
      "aria-required": this.option.required ? "true" : null,
      autocomplete: "off",
      spellcheck: "false",
      dir: "auto",
      size: "4",
      on: {
        input: () => {
          this.refit();
          line.typed(this);
        },
        focus: () => line.focused(this),
        blur: () => this.check(),
        keydown: (event) => line.key(event, this),
      },
    });
  }

  makeUpload(line) {
    return el("input", {
      class: "chip-file",
      type: "file",
      "aria-label": `${this.option.shown_name}: ${this.option.shown_description}`,
      on: {
        change: async (event) => {
          const chosen = event.target.files[0];
          this.file = chosen ? await packed(chosen) : null;
          line.changed();
        },
        focus: () => line.focused(this),
        keydown: (event) => line.key(event, this),
      },
    });
  }

  get text() {
    return this.option.type === TYPE.FILE ? "" : this.input.value;
  }

  refit() {
    this.input.size = Math.max(4, Math.min(60, [...this.text].length + 1));
    this.node.classList.remove("wrong");
  }

  /** Put something in, as chosen from a list or as it would be typed. */
  fill(text, value) {
    if (this.option.type === TYPE.FILE) return;
    // A line break cannot stand in an option: what the input makes of the text is what was picked.
    this.input.value = text;
    this.picked = value === undefined ? null : { text: this.input.value, value };
    this.refit();
  }

  get found() {
    return resolve(this);
  }

  /** Show whether what stands here can be sent; nothing is held against a field never left. */
  check() {
    this.tried = true;
    const { error } = this.found;
    this.node.classList.toggle("wrong", Boolean(error));
    if (error) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    return error ?? null;
  }
}
