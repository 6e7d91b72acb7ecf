// Everything the person does is one request; the sandbox performs it as the driver of the tests would.

import { here, announce } from "./store.js";
import { own } from "./session.js";

class Refused extends Error {}

async function ask(path, settings) {
  let response;
  try {
    response = await fetch(`/page/api/${path}`, settings);
  } catch {
    throw new Refused("The sandbox does not answer. Is it still running?");
  }
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(told.error ?? `The sandbox answered ${response.status}.`);
  return told;
}

const post = (path, body) =>
  ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Sandbox-Page": "1" },
    body: JSON.stringify(body),
  });

async function act(name, at, body) {
  const told = await post(name, { as: here.me, at, ...body });
  if (told.interaction) {
    own.add(told.interaction);
    announce("interactions");
  }
  return told;
}

export const people = () => ask("people");
export const commands = async (at) => (await ask(`commands?as=${here.me}&at=${at}`)).commands;
export const history = async (at, before) => (await ask(`history?as=${here.me}&at=${at}&before=${before}`)).messages;
export const slash = (path, options) => act("slash", here.at, { path, options });
export const complete = (path, focused, typed, options) =>
  act("complete", here.at, { path, focused, typed, options });
export const menu = (name, target) => act("menu", here.at, { name, target });
export const press = (message, id) => act("press", message.channel_id, { message: message.id, custom_id: id });
export const choose = (message, id, values) =>
  act("choose", message.channel_id, { message: message.id, custom_id: id, values });
export const submit = (interaction, values) =>
  act("submit", interaction.channel_id, { interaction: interaction.id, values });
export const dismiss = (interaction) => act("dismiss", interaction.channel_id, { interaction: interaction.id });
export const say = (content, files) => act("say", here.at, { content, files });
export const attempt = (index) => post("try", { index });
export const call = () => post("call", {});

/** Read a chosen file into what the sandbox takes. */
export async function packed(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts = [];
  for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return { name: file.name, type: file.type, data: btoa(parts.join("")) };
}
