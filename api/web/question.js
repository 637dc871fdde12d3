/** The field in which a question is typed. It is there before anything else is, and keeps what is typed and sent. */

const form = document.getElementById("ask");
export const field = document.getElementById("question");

let asks = null;
let isWaiting = false;

/**
 * From now on `by()` is called when a question is sent; null: nobody takes any. Called at once for one that was sent
 * before; gives whether there was one.
 */
export function answeredBy(by) {
  asks = by;
  if (!asks || !isWaiting) return false;
  isWaiting = false;
  asks();
  return true;
}

/** Forgets what is typed and sent. */
export function forget() {
  field.value = "";
  isWaiting = false;
}

export function isShown() {
  return form.offsetParent !== null;
}

function send() {
  if (asks) asks();
  else isWaiting = true;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

field.addEventListener("keydown", (event) => {
  // Enter that accepts a word from an input method is not a question; Safari reports it as key 229 only.
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  send();
});
