/**
 * The panel that shows a source: the page with the cited words marked, where the source has pages, and the text.
 *
 * `openSource(place, among)` opens it at a citation, a hit, or whatever has a `passage_id`; with `char_start` and
 * `char_end` these words are marked, with a `quote` only if the text still holds it. `among` are the sources that the
 * arrows walk. Beside what is read where there is room, over all of it elsewhere.
 */

import * as calls from "./calls/source.js";
import { element, joined, quoted } from "./dom.js";
import { problemBox } from "./problem.js";
import { pageView } from "./source/page.js";
import { aroundQuote, lostQuote, passageNodes, recordedQuote } from "./source/text.js";
import { styled } from "./styled.js";
import { retractedTag, supersededTag } from "./tags.js";
import { wordsOf } from "./words.js";
import * as texts from "./words/source.js";

const words = wordsOf(texts);
const BESIDE = window.matchMedia("(min-width: 64rem)");
const NOT_OF_THE_PANEL = ".frame, input, textarea, select";

/** Takes over `panel` and gives the ways to use it. Closing gives the focus back to what opened it, or `fallback`. */
function sourcePanel(panel, fallback) {
  let opener = null;
  let walked = { places: [], at: -1 };
  let shown = null; // { place, origin, content: () => nodes, redrawn: () => void }
  let loading = new AbortController();

  async function open(place, among = []) {
    const places = among.length ? among : [place];
    walked = { places, at: places.findIndex((one) => isSame(one, place)) };
    await styled("source.css");
    await show(place, place);
  }

  async function walk(by) {
    const to = walked.places[walked.at + by];
    if (!to) return;
    walked = { ...walked, at: walked.at + by };
    await show(to, to);
  }

  async function show(place, origin) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    if (panel.hidden || !panel.contains(document.activeElement)) opener = document.activeElement;
    reveal(true);
    draw({ place, origin, content: () => [element("p", { className: "meta" }, words().loading)] });
    focusTitle();
    panel.scrollTop = 0;
    try {
      const passage = await calls.passage(place.passage_id, signal);
      if (signal.aborted) return;
      draw(passageShown(passage, place, origin, signal));
      focusTitle();
      if (!passage.page_image) panel.querySelector("mark")?.scrollIntoView({ block: "center" });
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.name !== "Problem" && !problem.kind) throw problem;
      draw({ place, origin, content: () => [problemBox(problem), ...recordedQuote(place)] });
      focusTitle();
    }
  }

  function passageShown(passage, place, origin, signal) {
    const isCited = place.char_start !== undefined && place.char_start !== null && place.score === undefined;
    const parts = place.quote === undefined ? null : aroundQuote(passage, place);
    const lost = place.quote !== undefined && parts === null;
    const range = isCited && !lost ? { char_start: place.char_start, char_end: place.char_end } : null;
    const page = passage.page_image && !lost ? pageView(passage, range, signal) : null;
    const content = () => [
      ...(lost ? lostQuote(place.quote) : []),
      page?.node,
      element("h3", {}, page ? words().textOfPage : words().text),
      ...passageNodes(passage, parts),
      passageTools(passage, place, origin),
    ];
    return { place: { ...passage, ...known(place) }, origin, content, redrawn: () => page?.redraw() };
  }

  function passageTools(passage, place, origin) {
    const to = (other, text) =>
      other && element("button", { type: "button", className: "quiet", onclick: () => show(other, origin) }, text);
    return element(
      "div",
      { className: "tools" },
      to(passage.previous, words().previousPassage),
      to(passage.next, words().nextPassage),
      place === origin ? null : to(origin, words().backToSource),
    );
  }

  function draw(next) {
    shown = next;
    const { place, content } = next;
    const head = [header(place, walked, walk, close), standingOf(place), facts(place)];
    panel.replaceChildren(...[...head, ...content()].filter(Boolean));
  }

  function redraw() {
    if (panel.hidden) return;
    draw(shown);
    shown.redrawn?.();
  }

  function close() {
    if (panel.hidden) return;
    loading.abort();
    const hadFocus = panel.contains(document.activeElement);
    reveal(false);
    panel.replaceChildren();
    if (hadFocus) (opener?.isConnected ? opener : fallback).focus();
  }

  function reveal(open) {
    panel.hidden = !open;
    document.body.classList.toggle("reading", open);
    settle();
  }

  /** Over everything else where it does not stand beside it: what is behind it cannot be reached then. */
  function settle() {
    const covers = !panel.hidden && !BESIDE.matches;
    document.querySelector(".page").inert = covers;
    if (covers) {
      panel.setAttribute("role", "dialog");
      panel.setAttribute("aria-modal", "true");
    } else {
      panel.removeAttribute("role");
      panel.removeAttribute("aria-modal");
    }
  }

  function focusTitle() {
    panel.querySelector("#source-title").focus({ preventScroll: true });
  }

  panel.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(NOT_OF_THE_PANEL)) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || walked.places.length < 2) return;
    event.preventDefault();
    walk(by);
  });
  BESIDE.addEventListener("change", settle);

  return { open, close, redraw };
}

function isSame(one, other) {
  return one === other || (one.marker !== undefined && one.marker === other.marker && one.passage_id === other.passage_id);
}

/** What a place says of itself; what it leaves open, the passage says. */
function known(place) {
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== null && value !== undefined));
}

function header(place, { places, at }, walk, close) {
  const label = place.marker === undefined ? words().passage : `${words().source} [${place.marker}]`;
  const walks = places.length > 1 && at >= 0;
  return element(
    "div",
    { className: "panel-header" },
    element(
      "div",
      { className: "panel-tools" },
      element("p", { className: "meta" }, label),
      walks ? step("‹", words().previousSource, "ArrowLeft", at > 0, () => walk(-1)) : null,
      walks ? element("p", { className: "meta" }, words().position(at + 1, places.length)) : null,
      walks ? step("›", words().nextSource, "ArrowRight", at < places.length - 1, () => walk(1)) : null,
      element(
        "button",
        { type: "button", className: "quiet close", onclick: close, "aria-keyshortcuts": "Escape" },
        words().close,
      ),
    ),
    element("h2", { id: "source-title", tabIndex: -1, dir: "auto", lang: place.language || "" }, place.title || words().passage),
  );
}

function step(sign, label, key, enabled, onclick) {
  const properties = { type: "button", className: "quiet tool", disabled: !enabled, onclick, title: label };
  return element("button", { ...properties, "aria-label": label, "aria-keyshortcuts": key }, sign);
}

/** Why an edition no longer holds, and which one does; nothing of one that holds. */
function standingOf(place) {
  const editions = place.document?.editions || [];
  const own = editions.find((edition) => edition.id === place.edition_id);
  const standing = place.retracted || own?.retraction ? "retracted" : place.superseded ? endedAs(own) : own?.standing;
  if (!standing || standing === "current") return null;
  const current = editions.find((edition) => edition.standing === "current" && edition.id !== place.edition_id);
  const isEnded = standing !== "retracted" && standing !== "upcoming";
  return element(
    "div",
    { className: `box standing ${standing}` },
    element("p", {}, standing === "retracted" ? retractedTag() : isEnded ? supersededTag() : null, " ", words().standings[standing]),
    own?.retraction ? quoted("p", own.retraction, own.language) : null,
    current ? element("p", {}, quoted("span", words().currentEdition(joined([current.title, current.edition, current.published])), "")) : null,
  );
}

function endedAs(edition) {
  return edition && edition.standing !== "current" && edition.standing !== "upcoming" ? edition.standing : "superseded";
}

function facts(place) {
  const named = words().facts;
  const stated = Object.keys(named).filter((name) => place[name] !== null && place[name] !== undefined);
  const parts = stated.map((name) => element("div", {}, element("dt", {}, named[name]), fact(name, place[name])));
  return element("div", { className: "facts" }, element("dl", {}, ...parts));
}

function fact(name, value) {
  if (name !== "url" || !/^https?:\/\//i.test(value)) return quoted("dd", String(value), "");
  return element("dd", {}, element("a", { href: value, target: "_blank", rel: "noopener noreferrer" }, value));
}

const shared = sourcePanel(document.getElementById("source"), document.getElementById("question"));

export const openSource = shared.open;
export const closeSource = shared.close;
export const redrawSource = shared.redraw;
