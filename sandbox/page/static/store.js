// What the page knows of the sandbox, and where this tab is; whoever shows a part of it listens for its changes.

import { lastRead } from "./session.js";

export const world = { places: null, messages: new Map(), interactions: new Map(), online: false, ready: false };
export const here = { me: null, at: null };

const listeners = new Map();

export function listen(topics, tell) {
  for (const topic of topics) {
    if (!listeners.has(topic)) listeners.set(topic, []);
    listeners.get(topic).push(tell);
  }
}

export function announce(topic, detail) {
  for (const tell of listeners.get(topic) ?? []) tell(detail);
}

export function empty() {
  world.places = null;
  world.ready = false;
  world.messages.clear();
  world.interactions.clear();
}

export const guilds = () => world.places?.guilds ?? [];
export const guild = () => guilds().find((each) => each.channels.some((one) => one.id === here.at));
export const channel = () => channelCalled(here.at);
export const inDirect = () => world.places !== null && here.at === world.places.dm;

export function channelCalled(id) {
  for (const each of guilds()) {
    const found = each.channels.find((one) => one.id === id);
    if (found) return found;
  }
  return id && world.places?.dm === id ? { id, name: world.places.bot.name, direct: true, writes: true } : undefined;
}

export const member = (userId) => guild()?.members.find((each) => each.id === userId);
export const role = (roleId) => guild()?.roles.find((each) => each.id === roleId);
export const rolesOf = (who) => (who?.roles ?? []).map(role).filter(Boolean);

/** The name somebody goes by here. */
export function nameOf(userId) {
  if (userId === world.places?.bot.id) return member(userId)?.name ?? world.places.bot.name;
  return member(userId)?.name ?? world.places?.people.find((each) => each.id === userId)?.name ?? "unknown-user";
}

/** The colour of somebody's name: of their highest role that has one. */
export const nameColour = (userId) => rolesOf(member(userId)).find((each) => each.color)?.color ?? 0;

export function messagesIn(channelId) {
  const found = [...world.messages.values()].filter((each) => each.channel_id === channelId);
  return found.sort((one, other) => compareIds(one.id, other.id));
}

export function compareIds(one, other) {
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}

const readKey = (channelId) => `${here.me}:${channelId}`;

/** How many messages of others came since this person was last in the channel. */
export function unread(channelId) {
  if (channelId === here.at) return 0;
  const since = lastRead.get(readKey(channelId)) ?? "0";
  const fresh = messagesIn(channelId).filter((each) => each.author.id !== here.me && compareIds(each.id, since) > 0);
  return fresh.length;
}

export function markRead(channelId) {
  const latest = messagesIn(channelId).at(-1);
  if (latest) lastRead.set(readKey(channelId), latest.id);
}
