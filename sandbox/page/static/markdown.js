// Discord's Markdown, as elements: blocks first, then what stands within a line.

import { el, colour } from "./dom.js";
import { channelCalled, nameOf, role } from "./store.js";
import { stamp } from "./times.js";

const FENCE = /^```(?:[a-zA-Z0-9_+-]*\n)?([\s\S]*?)\n?```/;
const DEEPEST = 8; // nesting beyond it is shown as it was typed

/** Show a text: headings, lists, quotes, code blocks and everything inline. */
export function markdown(text) {
  const out = [];
  let rest = text;
  while (rest) {
    const at = rest.indexOf("```");
    const fence = at < 0 ? null : FENCE.exec(rest.slice(at));
    if (!fence || !fence[1]) {
      out.push(...lines(rest));
      break;
    }
    out.push(...lines(rest.slice(0, at).replace(/\n$/, "")));
    out.push(el("pre", { class: "code-block", tabindex: "0" }, el("code", {}, fence[1])));
    rest = rest.slice(at + fence[0].length).replace(/^\n/, "");
  }
  return out;
}

function lines(text, deep = 0) {
  if (!text) return [];
  const out = [];
  const all = text.split("\n");
  for (let at = 0; at < all.length; ) {
    const taken = BLOCKS.reduce((found, block) => found ?? block(all, at, deep), null);
    out.push(taken.node);
    at += taken.count;
  }
  return out;
}

const BLOCKS = [heading, subtext, quote, list, paragraph];

function heading(all, at) {
  const found = /^(#{1,3}) +(\S.*)$/.exec(all[at]);
  if (!found) return null;
  // A message is no chapter of the page: its headings are told by level only, below the page's own.
  const level = String(found[1].length + 2);
  const settings = { class: `heading-${found[1].length}`, role: "heading", "aria-level": level };
  return { node: el("div", settings, inline(found[2])), count: 1 };
}

function subtext(all, at) {
  const found = /^-# +(\S.*)$/.exec(all[at]);
  return found && { node: el("small", { class: "subtext" }, inline(found[1])), count: 1 };
}

function quote(all, at, deep) {
  if (deep >= DEEPEST) return null;
  if (all[at].startsWith(">>> ")) {
    const rest = [all[at].slice(4), ...all.slice(at + 1)].join("\n");
    return { node: el("blockquote", {}, lines(rest, deep + 1)), count: all.length - at };
  }
  let count = 0;
  while (at + count < all.length && /^> /.test(all[at + count])) count += 1;
  const inner = all.slice(at, at + count).map((each) => each.slice(2));
  return count ? { node: el("blockquote", {}, lines(inner.join("\n"), deep + 1)), count } : null;
}

const ITEM = /^( *)(?:[-*]|(\d{1,9})\.) +(\S.*)$/;

function list(all, at) {
  const first = ITEM.exec(all[at]);
  if (!first) return null;
  const node = el(first[2] ? "ol" : "ul", first[2] ? { start: first[2] } : {});
  let count = 0;
  for (let found = first; found; found = ITEM.exec(all[at + count] ?? "")) {
    const deep = found[1].length > 1 ? "deep" : null;
    node.append(el("li", { class: deep }, inline(found[3])));
    count += 1;
  }
  return { node, count };
}

function paragraph(all, at) {
  return { node: el("div", { class: "line" }, all[at] ? inline(all[at]) : "\u200b"), count: 1 };
}

// What stands within a line, tried in this order at every place.
const INLINE = [
  [/^\\([^a-zA-Z0-9\s])/, (found) => found[1]],
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (found) => el("code", {}, found[2])],
  [/^<@!?(\d+)>/, (found) => mention(`@${nameOf(found[1])}`)],
  [/^<@&(\d+)>/, (found) => roleMention(found[1])],
  [/^<#(\d+)>/, (found) => mention(`#${channelCalled(found[1])?.name ?? "unknown"}`)],
  [/^<\/([^:>\n]{1,100}):\d+>/, (found) => mention(`/${found[1]}`)],
  [/^<t:(-?\d{1,15})(?::([tTdDfFR]))?>/, (found) => stamp(Number(found[1]), found[2]) ?? found[0]],
  [/^<a?:(\w{2,32}):\d+>/, (found) => `:${found[1]}:`],
  [/^@(everyone|here)\b/, (found) => mention(found[0])],
  [/^\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?\)/, (found, deep) => link(inline(found[1], deep), found[2])],
  [/^<?(https?:\/\/[^\s<>]*[^\s<>.,:;"')\]])>?/, (found) => link(found[1], found[1])],
  [/^\*\*\*(?=\S)([\s\S]*?\S)\*\*\*/, (found, deep) => el("strong", {}, el("em", {}, inline(found[1], deep)))],
  [/^\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/, (found, deep) => el("strong", {}, inline(found[1], deep))],
  [/^__(?=\S)([\s\S]*?\S)__(?!_)/, (found, deep) => el("u", {}, inline(found[1], deep))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (found, deep) => el("s", {}, inline(found[1], deep))],
  [/^\|\|(?=\S)([\s\S]*?\S)\|\|/, (found, deep) => spoiler(inline(found[1], deep))],
  [/^\*(?=[^\s*])([^*]*?[^\s*])\*(?!\*)/, (found, deep) => el("em", {}, inline(found[1], deep))],
  [/^_(?=[^\s_])([^_]*?[^\s_])_(?!\w)/, (found, deep) => el("em", {}, inline(found[1], deep))],
];
const SPECIAL = /[\\`<@[h*_~|]/;

/** Show what stands within one line. */
export function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  const out = [];
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const found = SPECIAL.test(text[at]) ? match(text.slice(at), depth) : null;
    if (found === null) {
      plain += text[at];
      at += 1;
    } else {
      out.push(plain, found.node);
      plain = "";
      at += found.length;
    }
  }
  return [...out, plain].filter((each) => each !== "");
}

function match(rest, depth) {
  for (const [pattern, show] of INLINE) {
    const found = pattern.exec(rest);
    if (found) return { node: show(found, depth + 1), length: found[0].length };
  }
  return null;
}

const mention = (words) => el("span", { class: "mention" }, words);

function roleMention(id) {
  const found = role(id);
  const vars = found?.color ? { "--own": colour(found.color) } : {};
  return el("span", { class: "mention role", vars }, `@${found?.name ?? "unknown-role"}`);
}

// Nothing leaves this machine: an address is shown, not followed.
const link = (words, url) => el("span", { class: "link", title: url }, words);

function spoiler(content) {
  const show = (event) => event.currentTarget.classList.add("open");
  return el("button", { type: "button", class: "spoiler", "aria-label": "Spoiler", on: { click: show } }, content);
}

/** The words of a text without any marks, in one line: for previews and announcements. */
export function plainWords(text, most = 140) {
  const holder = el("div", {}, markdown(text).map((each) => [each, " "]));
  const words = holder.textContent.replace(/[\s\u200b]+/g, " ").trim();
  return words.length > most ? `${words.slice(0, most)}…` : words;
}
