/**
 * Which view an address shows, and the way from one view to another.
 *
 * A view is a module `NAME_view.js` that exports `open(main, place, signal)`. `main` is a section of the page that is
 * its own, `place` is what of the address follows the view's name (`""` or `"/…"`), `signal` aborts when the reader
 * leaves. It draws into `main` and gives, or resolves to, `{ redraw(), close(), follow(place) }`, all optional:
 * `redraw` is called when the language has changed, `close` when the reader leaves, `follow` when the address changes
 * within the view; without it the view is opened anew.
 */

import { Problem } from "./api.js";

const VIEWS = {
  ask: () => import("./ask_view.js"),
  compare: () => import("./compare_view.js"),
  library: () => import("./library_view.js"),
  record: () => import("./record_view.js"),
  health: () => import("./health_view.js"),
};
const NOWHERE = { redraw() {}, close() {} };

/** `{ name, place }` of an address: the view, and where in it. What names no view is the view to ask. */
export function placeOf(hash) {
  const [, name, place] = /^#\/([a-z]*)(\/.*)?$/.exec(hash) || [];
  if (name === "answers" && place) return { name: "ask", place };
  if (name === "in" && place) return { name: "ask", place: `in${place}` };
  if (name === "jobs") return { name: "library", place: "/load" };
  return name in VIEWS ? { name, place: place || "" } : { name: "ask", place: "" };
}

/**
 * Shows views in `main`. `said(problem)` is called with what a view throws while it opens, `turned(name)` before a view
 * is opened. Gives `follow(hash)`, `redraw()` and `leave()`.
 */
export function routing(main, turned, said) {
  let current = { name: null, view: NOWHERE, turn: new AbortController() };

  async function follow(hash) {
    const { name, place } = placeOf(hash);
    if (name === current.name && current.view.follow) {
      await attempt(current, () => current.view.follow(place));
      return;
    }
    leave(name);
    const opened = { name, view: NOWHERE, turn: new AbortController(), isOld: false };
    current = opened;
    turned(name);
    await attempt(opened, async () => {
      const { open } = await VIEWS[name]().catch(() => {
        throw new Problem("unreachable");
      });
      if (opened.turn.signal.aborted) return;
      const view = await open(sectionOf(name), place, opened.turn.signal);
      if (opened.turn.signal.aborted) view?.close?.();
      else opened.view = view || NOWHERE;
      if (opened.isOld) opened.view.redraw?.();
    });
  }

  async function attempt(opened, act) {
    try {
      await act();
    } catch (problem) {
      if (!opened.turn.signal.aborted) said(problem, sectionOf(opened.name));
    }
  }

  /** Closes what is open. The field to ask is hidden unless it is `next`: hidden for a moment, it would lose the focus. */
  function leave(next = null) {
    current.turn.abort();
    current.view.close?.();
    current = { name: null, view: NOWHERE, turn: new AbortController() };
    for (const section of [...main.querySelectorAll(":scope > .view")]) {
      if (section.dataset.view === "ask") section.hidden = next !== "ask";
      else section.remove();
    }
  }

  /** The section of a view. That of the view to ask is part of the page from the start, so that one can type at once. */
  function sectionOf(name) {
    let section = main.querySelector(`:scope > .view[data-view="${name}"]`);
    if (!section) {
      section = document.createElement("section");
      section.className = "view";
      section.dataset.view = name;
      main.append(section);
    }
    section.hidden = false;
    return section;
  }

  /** In the language that was chosen now; a view that is still being opened, as soon as it is. */
  function redraw() {
    current.isOld = true;
    current.view.redraw?.();
  }

  return { follow, leave, redraw };
}
