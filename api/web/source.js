/** The panel that shows a citation, or a passage without one, in its document. */

import { passage as loadPassage } from "./api.js";
import { supersededTag } from "./answer.js";
import { element, quoted } from "./dom.js";
import { problemBox } from "./problem.js";
import { words } from "./words.js";

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

/** Takes over `panel` and gives the ways to use it. Closing gives the focus back to what opened it, or `fallback`. */
export function sourcePanel(panel, fallback) {
  let opener = null;
  let redraw = null;
  let loading = new AbortController();

  function show(place, content) {
    redraw = () => panel.replaceChildren(header(place, close), facts(place), ...content());
    redraw();
  }

  async function open(place) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    if (!panel.contains(document.activeElement)) opener = document.activeElement;
    reveal(true);
    show(place, () => [element("p", { className: "meta" }, words().loading)]);
    panel.querySelector("#source-title").focus();
    try {
      const passage = await loadPassage(place.passage_id, signal);
      if (!signal.aborted) show(place, () => passageNodes(passage, place));
    } catch (problem) {
      if (!signal.aborted) show(place, () => [problemBox(problem), ...recordedQuote(place)]);
    }
    if (signal.aborted) return;
    panel.querySelector("#source-title").focus({ preventScroll: true });
    const marked = panel.querySelector("mark");
    if (marked) marked.scrollIntoView({ block: "center" });
  }

  function close() {
    if (panel.hidden) return;
    loading.abort();
    const hadFocus = panel.contains(document.activeElement);
    reveal(false);
    if (hadFocus) (opener.isConnected ? opener : fallback).focus();
  }

  function reveal(open) {
    panel.hidden = !open;
    document.body.classList.toggle("reading", open);
  }

  return { open, close, redraw: () => panel.hidden || redraw() };
}

function header(place, close) {
  const label = place.marker === undefined ? words().passage : `${words().source} [${place.marker}]`;
  return element(
    "div",
    { className: "panel-header" },
    element(
      "div",
      {},
      element("p", { className: "meta" }, label),
      element("h2", { id: "source-title", tabIndex: -1, dir: "auto", lang: place.language || "" }, place.title),
    ),
    element(
      "button",
      { type: "button", className: "quiet", onclick: close, "aria-keyshortcuts": "Escape" },
      words().close,
    ),
  );
}

function facts(place) {
  const named = words().facts;
  const known = ["publisher", "edition", "published", "section", "page", "url"].filter((name) => place[name] !== null);
  return element(
    "div",
    { className: "facts" },
    place.superseded ? element("p", {}, supersededTag(), " ", words().supersededLong) : null,
    element("dl", {}, ...known.flatMap((name) => [element("dt", {}, named[name]), fact(name, place[name])])),
  );
}

function fact(name, value) {
  if (name !== "url" || !/^https?:\/\//i.test(value)) return quoted("dd", String(value), "");
  return element("dd", {}, element("a", { href: value, target: "_blank", rel: "noopener noreferrer" }, value));
}

function passageNodes(passage, place) {
  const { before, after } = surroundings(passage);
  const parts = place.quote === undefined ? null : aroundQuote(passage, place);
  const lost = place.quote !== undefined && parts === null;
  return [
    ...(lost ? [element("p", { className: "box" }, words().notMarked), quoted("blockquote", place.quote, "")] : []),
    ...context(words().before, before, passage.language),
    element("h3", { className: "visually-hidden" }, words().passage),
    parts ? markedText(parts, passage.language) : quoted("p", passage.text, passage.language, "text"),
    ...context(words().after, after, passage.language),
  ];
}

function markedText([before, quote, after], language) {
  const text = quoted("p", before, language, "text");
  text.append(element("mark", {}, quote), after);
  return text;
}

function context(title, text, language) {
  if (!text) return [];
  return [element("h3", { className: "visually-hidden" }, title), quoted("p", text, language, "text context")];
}

function recordedQuote(place) {
  if (place.quote === undefined) return [];
  return [element("p", { className: "meta" }, words().recordedQuote), quoted("blockquote", place.quote, "")];
}

const shared = sourcePanel(document.getElementById("source"), document.getElementById("question"));

/** The panel that all views share: opens at a citation, a hit, or whatever has a `passage_id`. */
export const openSource = shared.open;
export const closeSource = shared.close;
export const redrawSource = shared.redraw;
