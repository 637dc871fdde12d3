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

/**
 * Sends a form with a `file`, its `collection` and `metadata`, and gives the job. `sent(part)` is called with how much
 * has gone, 0 to 1, which `fetch` does not tell. Raises what `call` raises; the Problem of a full minute (429) has
 * `retryAfter`, in seconds.
 */
export function upload(form, sent = () => {}, signal = null) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "v1/documents");
    if (csrfToken) request.setRequestHeader("x-csrf-token", csrfToken);
    request.upload.addEventListener("progress", ({ loaded, total }) => sent(total ? loaded / total : 0));
    request.addEventListener("error", () => reject(new Problem("unreachable")));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    request.addEventListener("load", () => {
      const requestId = request.getResponseHeader("x-request-id");
      let body;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        reject(new Problem("unreadable", { status: request.status, requestId }));
        return;
      }
      if (request.status < 300) {
        resolve(body);
        return;
      }
      if (request.status === 401) document.dispatchEvent(new Event(SIGNED_OUT));
      const retryAfter = Number(request.getResponseHeader("retry-after")) || null;
      reject(Object.assign(refusal(body, request.status, requestId), { retryAfter }));
    });
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
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
