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
