// The options of commands: what can be chosen for one, and what was typed as what the sandbox takes.

import { TARGETS, fitting } from "./targets.js";

export const TYPE = { STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9, NUMBER: 10, FILE: 11 };
const TARGET = { [TYPE.USER]: "user", [TYPE.CHANNEL]: "channel", [TYPE.ROLE]: "role", [TYPE.MENTIONABLE]: "mentionable" };
const WRONG = {
  [TYPE.USER]: "Input a valid user.",
  [TYPE.CHANNEL]: "Input a valid channel.",
  [TYPE.ROLE]: "Input a valid role.",
  [TYPE.MENTIONABLE]: "Input a valid user or role.",
};
const TRUTHS = [
  { label: "True", value: true },
  { label: "False", value: false },
];
const MOST_SHOWN = 25;

/** The commands one can type: every command or subcommand that takes options or none. */
export function leaves(commands) {
  return commands.filter((each) => each.type === 1).flatMap((each) => below(each, each.name, each.shown_name));
}

function below(node, path, shown) {
  const nested = (node.options ?? []).filter((each) => each.type <= 2);
  if (nested.length) return nested.flatMap((each) => below(each, `${path} ${each.name}`, `${shown} ${each.shown_name}`));
  return [{ path, shown, description: node.shown_description, options: node.options ?? [] }];
}

/** What can be chosen without asking the bot; null where one types freely or the bot is asked. */
export function offers(option, typed) {
  if (option.choices) {
    return fitting(option.choices.map((each) => ({ label: each.shown_name, value: each.value })), typed).slice(0, MOST_SHOWN);
  }
  if (option.type === TYPE.BOOLEAN) return fitting(TRUTHS, typed);
  if (TARGET[option.type]) return fitting(TARGETS[TARGET[option.type]](), typed).slice(0, MOST_SHOWN);
  return null;
}

/** Turn what stands in a field into a value, or say what is wrong with it, in the words of Discord's client. */
export function resolve({ option, text, picked, file }) {
  if (option.type === TYPE.FILE) return file ? { value: file } : missing(option);
  if (!text.trim()) return missing(option);
  if (picked && picked.text === text) return bounded(option, picked.value);
  if (option.choices || option.type === TYPE.BOOLEAN || TARGET[option.type]) return named(option, text);
  if (option.type === TYPE.INTEGER) return numeric(option, text, /^[+-]?\d{1,16}$/, "Input a valid integer.");
  if (option.type === TYPE.NUMBER) return numeric(option, text, /^[+-]?(\d+\.?\d*|\.\d+)$/, "Input a valid number.");
  return bounded(option, text);
}

function missing(option) {
  return option.required ? { error: "This option is required. Specify a value." } : {};
}

function named(option, text) {
  const wanted = text.trim().replace(/^[@#]/, "").toLowerCase();
  const all = offers(option, "");
  const everything = TARGET[option.type] ? TARGETS[TARGET[option.type]]() : all;
  const found = everything.find((each) => each.label.toLowerCase() === wanted || String(each.value) === wanted);
  return found ? { value: found.value } : { error: WRONG[option.type] ?? "Choose one of the values in the list." };
}

function numeric(option, text, pattern, words) {
  const typed = text.trim();
  return pattern.test(typed) ? bounded(option, Number(typed)) : { error: words };
}

function bounded(option, value) {
  const size = typeof value === "string" ? [...value].length : value;
  const [least, most] =
    typeof value === "string" ? [option.min_length, option.max_length] : [option.min_value, option.max_value];
  if (typeof value !== "boolean" && ((least != null && size < least) || (most != null && size > most))) {
    const what = typeof value === "string" ? "characters" : "";
    return { error: `Input between ${least ?? "any"} and ${most ?? "any"} ${what}`.trim().concat(".") };
  }
  return { value };
}

/** Read a whole command that was typed or pasted: its leaf, and the text of each option. */
export function parse(text, all) {
  const found = [...all]
    .sort((one, other) => other.path.length - one.path.length)
    .find((each) => [each.path, each.shown].some((path) => `${text} `.startsWith(`/${path} `) && text.length > path.length + 1));
  if (!found) return null;
  const path = text.startsWith(`/${found.path} `) ? found.path : found.shown;
  return { leaf: found, given: assigned(found, text.slice(path.length + 2)) };
}

function assigned(leaf, rest) {
  const names = leaf.options.flatMap((each) => [each.name, each.shown_name]).map((each) => each.replace(/[^\p{L}\p{N}_-]/gu, ""));
  if (!names.length) return {};
  const marks = [...rest.matchAll(new RegExp(`(?:^|\\s)(${names.join("|")}):\\s*`, "gu"))];
  const first = leaf.options[0];
  if (!marks.length) return rest.trim() ? { [first.name]: rest.trim() } : {};
  return Object.fromEntries(
    marks.map((mark, index) => {
      const option = leaf.options.find((each) => each.name === mark[1] || each.shown_name === mark[1]);
      return [option.name, rest.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? rest.length).trim()];
    }),
  );
}
