/** The calls of the library: documents, what is to be decided about them, the jobs that load them, the search test. */

import { call } from "../api.js";

const id = encodeURIComponent;

function sent(method, body) {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** Parameters of an address; empty ones are left out, lists are repeated. */
export function parameters(asked) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value === "" || value === null || value === undefined || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) made.append(name, one);
  }
  return made;
}

/** `{ documents, total, facets }`. `unstated` names a facet of which those are meant that state nothing. */
export function documents(asked, signal, unstated = "") {
  return call(`v1/documents?${parameters(asked)}${unstated && `&${unstated}=`}`, { signal });
}

/** A document with its editions, without its text. */
export function document(documentId, signal) {
  return call(`v1/documents/${id(documentId)}?text=false`, { signal });
}

/** `{ pieces, headings, total }` of an edition. */
export function passages(documentId, editionId, offset, limit, signal) {
  const asked = parameters({ edition_id: editionId, offset, limit });
  return call(`v1/documents/${id(documentId)}/passages?${asked}`, { signal });
}

export async function flagged(documentId, signal) {
  return (await call(`v1/documents/${id(documentId)}/flagged`, { signal })).flagged;
}

export function retire(documentId, on) {
  return call(`v1/documents/${id(documentId)}/retire`, sent("POST", on ? { on } : {}));
}

export function takeBackRetirement(documentId) {
  return call(`v1/documents/${id(documentId)}/retire`, sent("POST", { undo: true }));
}

/** Removes a document, or one edition of it; gives the receipt. */
export function remove(documentId, editionId, purge) {
  return call(`v1/documents/${id(documentId)}?${parameters({ edition_id: editionId, purge })}`, { method: "DELETE" });
}

export async function proposals(signal) {
  return (await call("v1/proposals", { signal })).proposals;
}

export function decide(proposal, accept) {
  const pair = `${id(proposal.document.id)}/${id(proposal.like.id)}`;
  return call(`v1/proposals/${pair}`, sent("POST", { accept }));
}

export async function receipts(signal) {
  return (await call("v1/removals", { signal })).removals;
}

/** `{ feedback, total }`: answers that were found bad, questions that nothing answered. */
export function toActOn(limit, offset, signal) {
  return call(`v1/feedback?${parameters({ limit, offset })}`, { signal });
}

/** Takes an answer off that list, until more is said of it. */
export function handle(answerId) {
  return call(`v1/answers/${id(answerId)}/handled`, { method: "POST" });
}

/** `{ jobs, total, states }`. */
export function jobs(asked, signal) {
  return call(`v1/jobs?${parameters({ ...asked, files: 5 })}`, { signal });
}

/** The job ends after the file it is at. */
export function cancelJob(jobId) {
  return call(`v1/jobs/${id(jobId)}`, { method: "DELETE" });
}

export function retryJob(jobId) {
  return call(`v1/jobs/${id(jobId)}/retry`, { method: "POST" });
}

export function explain(query, signal) {
  return call("v1/search/explain", { ...sent("POST", query), signal });
}

/** What the names of collections are, also of those that are empty today. */
export async function collectionNames(signal) {
  return (await call("v1/collections", { signal })).collections.map((one) => one.name);
}
