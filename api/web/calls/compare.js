/** The calls of the comparison: one question with evidence and without it, and the runs over question sets. */

import { call } from "../api.js";

const id = encodeURIComponent;

/** `{ id, question, grounded, ungrounded, difference }`, once both answers are written; `asked` is as for an answer. */
export function compare(asked, signal) {
  const headers = { "content-type": "application/json" };
  return call("v1/compare", { method: "POST", headers, body: JSON.stringify(asked), signal });
}

export function storedComparison(comparison, signal) {
  return call(`v1/compare/${id(comparison)}`, { signal });
}

export function storedAnswer(answer, signal) {
  return call(`v1/answers/${id(answer)}`, { signal });
}

/** `{ runs, total }`, newest first. */
export function runs(limit, offset, signal) {
  return call(`v1/runs?limit=${limit}&offset=${offset}`, { signal });
}

export function run(name, signal) {
  return call(`v1/runs/${id(name)}`, { signal });
}

/** `{ questions, total }`; where `differing`, those on which not all arms chose the same. */
export function questions(name, differing, limit, offset, signal) {
  return call(`v1/runs/${id(name)}/questions?differing=${differing}&limit=${limit}&offset=${offset}`, { signal });
}

export function reportAddress(name, language) {
  return `v1/runs/${id(name)}/report?language=${language}`;
}

/** Whether the caller may see the runs: an administrator of all collections. */
export async function seesRuns(signal) {
  const { role, collections } = await call("v1/session", { signal });
  return role === "admin" && collections === null;
}
