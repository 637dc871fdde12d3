/** The calls of the view to ask. */

import { call, Problem, refusal, streamed } from "../api.js";

const JSON_BODY = { "content-type": "application/json" };
const TURNS_SHOWN = 20;

/**
 * Asks, and calls `hear[name](data)` for every event as it comes: `passages`, `token`, `sentence`. Gives the answer.
 * Raises Problem, and the browser's AbortError where `signal` aborts.
 */
export async function ask(body, hear, signal) {
  const options = { method: "POST", headers: JSON_BODY, body: JSON.stringify({ ...body, stream: true }), signal };
  const response = await streamed("v1/ask", options);
  const requestId = response.headers.get("x-request-id");
  let answer = null;
  try {
    for await (const { name, data } of eventsOf(response.body)) {
      if (name === "answer") answer = data;
      else if (name === "error") throw refusal(data);
      else hear[name]?.(data);
    }
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    throw new Problem("unreachable", { requestId });
  }
  if (!answer) throw new Problem("unreachable", { requestId });
  return answer;
}

/** The server-sent events of a body; comments are left out. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [, name] = /^event: (.*)$/m.exec(block) || [];
      const [, data] = /^data: (.*)$/m.exec(block) || [];
      if (name && data) yield { name, data: JSON.parse(data) };
    }
  }
}

/** A stored answer with the turns of its conversation before it, oldest first. */
export async function conversation(id, signal) {
  const answer = await stored(id, signal);
  if (!answer.conversation_id || answer.conversation_id === answer.id) return [answer];
  const query = { conversation_id: answer.conversation_id, until: answer.created_at, limit: TURNS_SHOWN };
  const { answers } = await call(`v1/answers?${new URLSearchParams(query)}`, { signal });
  const earlier = answers.filter((one) => one.id !== answer.id).reverse();
  return [...(await Promise.all(earlier.map((one) => stored(one.id, signal)))), answer];
}

function stored(id, signal) {
  return call(`v1/answers/${encodeURIComponent(id)}`, { signal });
}

export async function collections(signal) {
  return (await call("v1/collections", { signal })).collections;
}

/** Whether a language model can be asked for. */
export async function hasLanguageModel(signal) {
  const { data } = await call("v1/models", { signal });
  return data.some(({ id }) => id.endsWith("-grounded"));
}

/** Whether the sample documents are there, which the examples are about. */
export async function hasSample(signal) {
  return (await call("v1/documents?q=taiyi-demo&limit=1", { signal })).total > 0;
}

export function mayLoad(signal) {
  return call("v1/session", { signal }).then(({ role }) => role !== "reader");
}

/** Of editions, by id, the line in Vancouver style and the record in RIS. */
export async function references(editionIds) {
  const query = new URLSearchParams(editionIds.map((id) => ["edition_id", id]));
  const { references: found } = await call(`v1/references?${query}`);
  return new Map(found.map((one) => [one.edition_id, one]));
}

export function rate(id, rating, reason) {
  return call(`v1/answers/${encodeURIComponent(id)}/feedback`, {
    method: "POST",
    headers: JSON_BODY,
    body: JSON.stringify({ rating, reason: reason || null }),
  });
}
