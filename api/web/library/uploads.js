/**
 * Files on their way to the service. They go on while other parts of the page are looked at, so that the queue belongs to
 * the page and not to a view; once the service has a file it is a job there, and this forgets it.
 */

import { upload } from "../api.js";

const AT_ONCE = 2;
const WAITS_S = 5;

let items = [];
let listener = () => {};
let held = null;
let number = 0;

/** Has `changed` called with every change: with the job that a file became, or null. */
export function listen(changed) {
  listener = changed;
}

/** Files that are not at the service: `{ key, name, size, state, part, problem }`, those on their way first. */
export function onTheWay() {
  return items;
}

/** Until when, in milliseconds since 1970, nothing is sent because the service asked for it; null where it did not. */
export function heldUntil() {
  return held;
}

/** `files` are `{ name, file }`. */
export function add(files, collection, metadata) {
  const waiting = { collection, metadata, state: "waiting", part: 0, problem: null, sending: null };
  items = [...items, ...files.map(({ name, file }) => ({ key: ++number, name, file, size: file.size, ...waiting }))];
  next();
}

export function stop(item) {
  if (item.state === "sending") item.sending.abort();
  item.state = "stopped";
  next();
}

export function stopAll() {
  for (const item of items.filter((one) => one.state === "waiting")) item.state = "stopped";
  for (const item of items.filter((one) => one.state === "sending")) stop(item);
}

export function again(item) {
  Object.assign(item, { state: "waiting", part: 0, problem: null });
  next();
}

export function forget(forgotten) {
  items = items.filter((item) => !forgotten.includes(item));
  next();
}

function next() {
  while (!held && items.filter((item) => item.state === "sending").length < AT_ONCE) {
    const item = items.find((one) => one.state === "waiting");
    if (!item) break;
    send(item);
  }
  const isBusy = items.some((item) => ["waiting", "sending"].includes(item.state));
  globalThis.onbeforeunload = isBusy ? (event) => event.preventDefault() : null;
  listener(null);
}

async function send(item) {
  Object.assign(item, { state: "sending", sending: new AbortController() });
  const form = new FormData();
  form.append("collection", item.collection);
  form.append("metadata", JSON.stringify(item.metadata));
  form.append("file", item.file, item.name.split("/").at(-1));
  const told = (part) => {
    item.part = part;
    listener(null);
  };
  try {
    const job = await upload(form, told, item.sending.signal);
    items = items.filter((one) => one !== item);
    listener(job);
  } catch (problem) {
    if (problem.name === "AbortError") item.state = "stopped";
    else if (problem.status === 429) hold(item, problem.retryAfter || WAITS_S);
    else Object.assign(item, { state: "refused", problem });
  }
  next();
}

/** Too many requests: nothing is sent for a while, then this file again. */
function hold(item, seconds) {
  Object.assign(item, { state: "waiting", part: 0 });
  held = Date.now() + seconds * 1000;
  setTimeout(() => {
    held = null;
    next();
  }, seconds * 1000);
}
