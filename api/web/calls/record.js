/** The calls of the record: stored answers, the audit record, keys. */

import { call } from "../api.js";
import { parameters } from "../controls.js";

const id = encodeURIComponent;

function sent(body) {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

export function whoIsThere(signal) {
  return call("v1/session", { signal });
}

export async function collectionNames(signal) {
  return (await call("v1/collections", { signal })).collections.map((one) => one.name);
}

/** `{ answers, total }`. */
export function answers(asked, signal) {
  return call(`v1/answers?${parameters(asked)}`, { signal });
}

export function answer(answerId, signal) {
  return call(`v1/answers/${id(answerId)}`, { signal });
}

export function replay(answerId, signal) {
  return call(`v1/answers/${id(answerId)}/replay`, { method: "POST", signal });
}

/** `{ entries, head }`. */
export function audit(asked, signal) {
  return call(`v1/audit?${parameters(asked)}`, { signal });
}

export function exportAddress(asked) {
  const query = parameters(asked);
  return `v1/audit/export${query ? `?${query}` : ""}`;
}

/** `{ ok, problems, total, head, seconds }`. */
export function verify(head, signal) {
  return call("v1/audit/verify", { ...sent({ head: head || null }), signal });
}

export async function keys(signal) {
  return (await call("v1/keys", { signal })).keys;
}

/** The key with its secret, `key`, which is not to be had again. */
export function createKey(stated) {
  return call("v1/keys", sent(stated));
}

export function revokeKey(keyId) {
  return call(`v1/keys/${id(keyId)}`, { method: "DELETE" });
}
