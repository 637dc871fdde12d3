/** The calls that the page makes. Addresses are relative, so that the service may live under a path of a proxy. */

/**
 * Why a call gave no result. `kind` is `refused` where the service said why in `title` and `detail` (in English),
 * `unreachable` where nothing replied, `unreadable` where what replied was not the service, `broken` where this page
 * itself failed. `signIn` has the ways to
 * sign in, `key` and `oidc`, where the service told them.
 */
export class Problem extends Error {
  constructor(kind, { title = "", detail = "", status = null, requestId = null, signIn = [] } = {}) {
    super(title || kind);
    Object.assign(this, { kind, title, detail, status, requestId, signIn });
  }
}

const SESSION = "v1/session";

/** The event on the document that a call was refused because nobody is signed in any more. */
export const SIGNED_OUT = "signedout";

/** What a write has to bring along that comes with the session's cookie; null where there is none. */
let csrfToken = null;

/** Who is signed in: `via`, `role`, `collections`. A Problem with status 401 where nobody is. */
export async function session() {
  csrfToken = null;
  const found = await call(SESSION);
  csrfToken = found.csrf_token;
  return found;
}

export function signIn(key) {
  return call(SESSION, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key }),
  });
}

export function signOut() {
  return call(SESSION, { method: "DELETE" });
}

export function ask(question, signal) {
  return call("v1/ask", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ question }),
    signal,
  });
}

export function storedAnswer(id, signal) {
  return call(`v1/answers/${encodeURIComponent(id)}`, { signal });
}

export function passage(id, signal) {
  return call(`v1/passages/${encodeURIComponent(id)}`, { signal });
}

export async function collections(signal) {
  return (await call("v1/collections", { signal })).collections;
}

/** The latest jobs, each with its `files` where some failed or were flagged: those first, `shown` of them at most. */
export async function jobs(shown, signal) {
  const { jobs: latest } = await call("v1/jobs?limit=20", { signal });
  return Promise.all(latest.map((job) => (job.counts.failed || job.flagged ? jobWithFiles(job.id, shown, signal) : job)));
}

/** Sends a form with a `file`, its `collection` and `metadata`. */
export function upload(form) {
  return call("v1/documents", { method: "POST", body: form });
}

export function cancelJob(id) {
  return call(`v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function retryJob(id) {
  return call(`v1/jobs/${encodeURIComponent(id)}/retry`, { method: "POST" });
}

/** Calls `changed` with a job whenever it changes, `ended` once it has ended. Gives the way to stop listening. */
export function followJob(id, changed, ended) {
  const source = new EventSource(`v1/jobs/${encodeURIComponent(id)}/events`);
  source.addEventListener("progress", (event) => changed(JSON.parse(event.data)));
  source.addEventListener("done", () => {
    source.close();
    ended();
  });
  return () => source.close();
}

/** What screening flagged in a document. */
export function flaggedAddress(id) {
  return `v1/documents/${encodeURIComponent(id)}/flagged`;
}

function jobWithFiles(id, shown, signal) {
  return call(`v1/jobs/${encodeURIComponent(id)}?limit=${shown}`, { signal });
}

/** The JSON of a reply; null for one without a body. Raises Problem; the browser's AbortError where `signal` aborts. */
export async function call(address, options = {}) {
  return (await replyTo(address, options)).body;
}

/** The reply to a call whose body is read as it comes. Raises what `call` raises. */
export async function streamed(address, options = {}) {
  return (await replyTo(address, options, false)).response;
}

async function replyTo(address, options, isWhole = true) {
  const headers = csrfToken ? { ...options.headers, "x-csrf-token": csrfToken } : options.headers;
  const response = await fetch(address, { ...options, headers }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem("unreachable");
  });
  if (response.status === 204 || (response.ok && !isWhole)) return { response, body: null };
  const requestId = response.headers.get("x-request-id");
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem("unreadable", { status: response.status, requestId });
  });
  if (response.ok) return { response, body };
  if (response.status === 401 && address !== SESSION) document.dispatchEvent(new Event(SIGNED_OUT));
  throw refusal(body, response.status, requestId);
}

/** The Problem that a body of the service (RFC 9457) tells of. */
export function refusal(body, status = body.status, requestId = null) {
  return new Problem("refused", {
    title: body.title || "",
    detail: body.detail || "",
    status,
    requestId: body.request_id || requestId,
    signIn: body.sign_in || [],
  });
}
