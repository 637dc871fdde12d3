/** What the parts of the library share: states, dates, addresses, a field with its label. */

import { button, factList, moment as written } from "../controls.js";
import { element } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/library.js";
import { parameters } from "../calls/library.js";

export { bytes, emptyBox, labelled, link } from "../controls.js";
export { button, factList };
export const words = wordsOf(texts);

/** A moment of the service, or its day alone. */
export function moment(iso, withTime = true) {
  return withTime ? written(iso) : written(iso, { dateStyle: "medium" });
}

/** The standing of an edition as a small tag. */
export function standingTag(standing) {
  return element(
    "span",
    { className: `standing ${standing}`, title: words().standingReasons[standing] },
    words().standings[standing],
  );
}

export function languageName(code) {
  return words().languages[code] || code;
}

export function documentAddress(documentId, asked = {}) {
  const query = parameters(asked).toString();
  return `#/library/documents/${encodeURIComponent(documentId)}${query ? `?${query}` : ""}`;
}

export function documentsAddress(asked = {}) {
  const query = parameters(asked).toString();
  return `#/library/documents${query ? `?${query}` : ""}`;
}

/** The edition by which a document is listed. */
export function shownEdition(document) {
  return document.editions.find((edition) => edition.id === document.edition_id) || document.editions[0];
}

/** Text of the service, shortened where it is longer than anybody reads in a list. */
export function short(text, most = 300) {
  const points = Array.from(text);
  return points.length > most ? `${points.slice(0, most).join("")}…` : text;
}

/** A `<select>`; `options` are `[value, text]`. */
export function choice(options, value, onchange, properties = {}) {
  const made = element("select", { ...properties, onchange: () => onchange(made.value) });
  made.append(...options.map(([one, text]) => element("option", { value: one }, text)));
  made.value = value;
  return made;
}

/** A title that leads somewhere. */
export function titleLink(title, href, language) {
  const made = element("a", { href, className: "title" }, short(title, 200));
  made.dir = "auto";
  made.lang = language || "";
  return made;
}

/**
 * A dialog that asks before something is done. `content` are its nodes, `act()` does it and may give nodes that are
 * shown in the end; what it throws is shown by `problem`. Gives the dialog, opened.
 */
export function confirmation({ title, content, label, danger = false, act, problem }) {
  const said = element("div", { className: "dialog-said" });
  said.setAttribute("aria-live", "polite");
  const go = element("button", { type: "submit", className: danger ? "main danger" : "main" }, label());
  const cancel = button(words().cancel, () => dialog.close());
  const form = element(
    "form",
    {},
    element("h2", {}, title),
    ...content,
    said,
    element("div", { className: "dialog-buttons" }, go, cancel),
  );
  const dialog = element("dialog", { className: "dialog" }, form);
  dialog.setAttribute("aria-label", title);
  form.addEventListener("input", () => (go.textContent = label()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    said.replaceChildren(element("p", { className: "meta" }, words().working));
    try {
      await act();
      dialog.close();
    } catch (failure) {
      go.disabled = false;
      if (failure.kind === undefined) throw failure;
      said.replaceChildren(problem(failure));
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
