/** A passage as text, the cited words marked, between what stands before and after it. */

import { element, quoted } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/source.js";

const words = wordsOf(texts);

/**
 * Splits a passage around a quote: `[before, quote, after]`. The places are code points of the edition's text, while a
 * JavaScript string counts UTF-16 units, so the text is cut as an array of code points. Null where the place is not
 * inside the passage or does not hold the quote.
 */
export function aroundQuote(passage, citation) {
  const start = citation.char_start - passage.char_start;
  const end = citation.char_end - passage.char_start;
  const points = Array.from(passage.text);
  if (passage.edition_id !== citation.edition_id || start < 0 || end > points.length) return null;
  const parts = [points.slice(0, start), points.slice(start, end), points.slice(end)].map((part) => part.join(""));
  return parts[1] === citation.quote ? parts : null;
}

/** The neighbours' texts without what they share with the passage, since passages may overlap. */
export function surroundings({ previous, next, char_start, char_end }) {
  return {
    before: previous && Array.from(previous.text).slice(0, char_start - previous.char_start).join(""),
    after: next && Array.from(next.text).slice(Math.max(0, char_end - next.char_start)).join(""),
  };
}

/** The passage, with `parts` of `aroundQuote` marked where they are given. */
export function passageNodes(passage, parts) {
  const { before, after } = surroundings(passage);
  return [
    ...context(words().before, before, passage.language),
    element("h4", { className: "visually-hidden" }, words().passage),
    parts ? markedText(parts, passage.language) : quoted("p", passage.text, passage.language, "text"),
    ...context(words().after, after, passage.language),
  ];
}

/** What was quoted, where the text does not hold it any more. */
export function lostQuote(quote) {
  return [element("p", { className: "box" }, words().notMarked), quoted("blockquote", quote, "")];
}

/** What was quoted, where the text is not to be had. */
export function recordedQuote(place) {
  if (place.quote === undefined) return [];
  return [element("p", { className: "meta" }, words().recordedQuote), quoted("blockquote", place.quote, "")];
}

function markedText([before, quote, after], language) {
  const text = quoted("p", before, language, "text");
  text.append(element("mark", {}, quote), after);
  return text;
}

function context(title, text, language) {
  if (!text) return [];
  return [element("h4", { className: "visually-hidden" }, title), quoted("p", text, language, "text context")];
}
