/**
 * The library: its documents, loading more of them, a test of the search, and what a librarian should look at. Each is
 * a part of its own under `library/`, that exports `open(region, place, context)` and gives `{ redraw, close }`.
 * `context` has `role`, `mayEdit`, `mayPurge`, and `signal`, which aborts when the part is left.
 */

import { call } from "./api.js";
import { element } from "./dom.js";
import { problemBox } from "./problem.js";
import { styled } from "./styled.js";
import { wordsOf } from "./words.js";
import * as texts from "./words/library.js";

const words = wordsOf(texts);
const PARTS = {
  documents: () => import("./library/documents.js"),
  document: () => import("./library/document.js"),
  load: () => import("./library/load.js"),
  search: () => import("./library/bench.js"),
  review: () => import("./library/review.js"),
};
const TABS = [
  ["documents", "#/library", () => true],
  ["load", "#/library/load", (may) => may.mayEdit],
  ["search", "#/library/search", () => true],
  ["review", "#/library/review", (may) => may.mayEdit],
];

/** The part that a place names, the rest of the place after it, and what it is asked. */
export function partOf(place) {
  const [path, asked] = place.split("?", 2);
  const [, name, rest] = /^\/([a-z]+)(?:\/(.+))?$/.exec(path) || [];
  const query = new URLSearchParams(asked || "");
  if (name === "documents" && rest) return { name: "document", rest: decoded(rest), query };
  return { name: name in PARTS && name !== "document" ? name : "documents", rest: "", query };
}

export async function open(main, place, signal) {
  const [who] = await Promise.all([call("v1/session", { signal }), styled("library.css")]);
  const may = { role: who.role, mayEdit: who.role !== "reader", mayPurge: who.role === "admin" };
  const heading = element("h2", { className: "visually-hidden" });
  const links = TABS.filter(([, , isFor]) => isFor(may)).map(([name, href]) =>
    element("a", { href, "data-part": name }),
  );
  const tabs = element("nav", { className: "tabs" }, ...links);
  const region = element("div", { tabIndex: -1 });
  main.classList.add("library");
  main.append(heading, tabs, region);
  let current = { name: null, part: {}, turn: new AbortController() };
  signal.addEventListener("abort", () => current.turn.abort());
  document.addEventListener("keydown", (event) => searchFieldOn(event, region), { signal });

  function drawShell() {
    heading.textContent = words().title;
    tabs.setAttribute("aria-label", words().partsLabel);
    const shown = current.name === "document" ? "documents" : current.name;
    for (const link of links) {
      link.textContent = words().parts[link.dataset.part];
      if (link.dataset.part === shown) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** Draws the part of a place, from its top. */
  async function follow(where) {
    leave();
    const asked = partOf(where);
    const isFor = TABS.find(([tab]) => tab === asked.name)?.[2] || (() => true);
    const { name, rest, query } = isFor(may) ? asked : partOf("");
    const opened = { name, part: {}, turn: new AbortController(), isOld: false };
    current = opened;
    drawShell();
    const content = element("div", { className: "part" });
    region.replaceChildren(content);
    globalThis.scrollTo(0, 0);
    try {
      const { open: openPart } = await PARTS[name]();
      if (opened.turn.signal.aborted) return;
      const part = await openPart(content, { rest, query }, { ...may, signal: opened.turn.signal });
      if (opened.turn.signal.aborted) part.close?.();
      else opened.part = part;
      if (opened.isOld) opened.part.redraw?.();
      if (document.activeElement === document.body) region.focus({ preventScroll: true });
    } catch (problem) {
      if (opened.turn.signal.aborted || problem.name === "AbortError") return;
      if (problem.kind === undefined) throw problem;
      content.replaceChildren(problemBox(problem));
      opened.part = { redraw: () => content.replaceChildren(problemBox(problem)) };
    }
  }

  function leave() {
    current.turn.abort();
    current.part.close?.();
  }

  await follow(place);
  return {
    follow,
    close: leave,
    redraw() {
      drawShell();
      current.isOld = true;
      current.part.redraw?.();
    },
  };
}

/** The key `/` goes to the field in which one searches, as it does where one asks. */
function searchFieldOn(event, region) {
  const isTyping = event.target.closest?.("input, textarea, select, dialog");
  const field = region.querySelector("input[type=search]");
  if (event.key !== "/" || !field || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
