/** A page of a source as an image with the cited words marked, and the tools to turn and enlarge it. */

import { boxes as loadBoxes, pageAddress } from "../calls/source.js";
import { element } from "../dom.js";
import { problemBox } from "../problem.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/source.js";

const words = wordsOf(texts);
const ZOOMS = [1, 1.5, 2, 3];
const WIDEST = 2400;
/** Pixels below which the words of a page that is as wide cannot be read. */
const LEGIBLE = 450;
const A4 = { width: 595, height: 842 };

/**
 * The page on which the words of a passage stand; `range` are their `char_start` and `char_end`, null for all of it.
 * Gives `{ node, redraw }`; the node fills itself, until `signal` aborts.
 */
export function pageView(passage, range, signal) {
  const node = element("figure", { className: "sheet" });
  let marks = null;
  let page = passage.page || 1;
  let zoom = 0;
  let state = "drawing";
  let problem = null;
  let parts = null;
  let settle = toTheMark;

  function redraw() {
    if (problem) node.replaceChildren(problemBox(problem), againButton(load));
    else if (marks) node.replaceChildren(...drawn());
    else node.replaceChildren(waiting());
  }

  async function load() {
    problem = null;
    redraw();
    try {
      marks = await loadBoxes(passage.passage_id, range, signal);
      page = marks.boxes.length ? marks.boxes[0][0] : page;
    } catch (failure) {
      if (signal.aborted) return;
      problem = failure;
    }
    if (signal.aborted) return;
    redraw();
    if (!marks) return;
    if (parts.frame.clientWidth < LEGIBLE) zoom = ZOOMS.indexOf(2);
    show();
  }

  function drawn() {
    const image = element("img", { alt: words().pageImage(page, marks.page_count), decoding: "async" });
    const frame = element("div", { className: "frame", tabIndex: 0, role: "group", "aria-label": words().pageFrame }, image);
    const told = element("p", { className: "meta told", role: "status" });
    parts = { image, frame, told, tools: element("div", { className: "tools", role: "group" }) };
    image.addEventListener("load", () => arrived("drawn"));
    image.addEventListener("error", () => arrived("failed"));
    tell();
    return [parts.tools, frame, told, ...notes()];
  }

  /** Has the image drawn as wide as it is shown. */
  function show() {
    const size = marks.pages.find((one) => one.page === page) || marks.pages[0] || A4;
    const { image, frame } = parts;
    state = "drawing";
    image.width = Math.round(size.width); // the two give the image its shape before it is there
    image.height = Math.round(size.height);
    image.style.width = `${ZOOMS[zoom] * 100}%`;
    image.alt = words().pageImage(page, marks.page_count);
    const width = Math.ceil(frame.clientWidth * ZOOMS[zoom] * Math.min(2, window.devicePixelRatio));
    image.src = pageAddress(passage.passage_id, range, page, Math.min(WIDEST, Math.max(1, width)));
    tell();
    settle();
  }

  function arrived(how) {
    state = how;
    tell();
    settle();
  }

  function tell() {
    const { tools, told, image } = parts;
    image.classList.toggle("waiting", state === "drawing");
    told.replaceChildren(...(state === "drawing" ? [words().drawing] : state === "failed" ? [words().notDrawn, " ", againButton(show)] : []));
    told.hidden = state === "drawn";
    const focused = tools.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
    tools.setAttribute("aria-label", words().pageTools);
    tools.replaceChildren(...toolNodes());
    if (focused) (tools.querySelector(`[data-tool="${focused}"]:enabled`) || tools.querySelector("button:enabled"))?.focus();
  }

  function toolNodes() {
    const first = marks.boxes.length ? marks.boxes[0][0] : null;
    const isMarked = first === null || marks.boxes.some((box) => box[0] === page);
    return [
      element(
        "div",
        {},
        tool("previous", "‹", words().previousPage, page > 1, () => turn(page - 1)),
        element("span", { className: "place", "aria-live": "polite" }, words().pageOf(page, marks.page_count)),
        tool("next", "›", words().nextPage, page < marks.page_count, () => turn(page + 1)),
        isMarked ? null : textTool("mark", words().toTheMark, () => turn(first)),
      ),
      element(
        "div",
        {},
        tool("smaller", "−", words().smaller, zoom > 0, () => enlarge(zoom - 1)),
        textTool("fit", words().fitWidth, () => enlarge(0)),
        tool("larger", "+", words().larger, zoom < ZOOMS.length - 1, () => enlarge(zoom + 1)),
      ),
    ];
  }

  function turn(to) {
    page = to;
    settle = toTheMark;
    show();
  }

  function enlarge(to) {
    const { frame, image } = parts;
    const middle = (scrolled, seen, whole) => (scrolled + seen / 2) / Math.max(1, whole);
    const down = middle(frame.scrollTop, frame.clientHeight, image.clientHeight);
    const across = middle(frame.scrollLeft, frame.clientWidth, image.clientWidth);
    zoom = to;
    if (!marks.boxes.some((box) => box[0] === page)) settle = () => {
      frame.scrollTop = down * image.clientHeight - frame.clientHeight / 2;
      frame.scrollLeft = across * image.clientWidth - frame.clientWidth / 2;
    };
    else settle = toTheMark;
    show();
  }

  /** Moves the frame so that the first mark of the page is in its upper part; to the top where there is none. */
  function toTheMark() {
    const here = marks.boxes.filter((one) => one[0] === page);
    const size = marks.pages.find((one) => one.page === page);
    const { frame, image } = parts;
    const [top, left] = here.length && size ? [here[0][2] / size.height, Math.min(...here.map((box) => box[1])) / size.width] : [0, 0];
    frame.scrollTop = top * image.clientHeight - frame.clientHeight / 3;
    frame.scrollLeft = left * image.clientWidth - 16;
  }

  function notes() {
    const more = [...new Set(marks.boxes.map((box) => box[0]))].slice(1);
    return [
      marks.exact ? null : element("p", { className: "meta" }, words().notExact),
      more.length && marks.exact ? element("p", { className: "meta" }, words().goesOn(more.join(", "))) : null,
    ].filter(Boolean);
  }

  function waiting() {
    return element(
      "div",
      { className: "frame empty" },
      element("p", { className: "meta", role: "status" }, words().drawing),
    );
  }

  load();
  return {
    node,
    redraw() {
      redraw();
      if (marks) show();
    },
  };
}

function againButton(onclick) {
  return element("button", { type: "button", className: "quiet", onclick }, words().again);
}

function tool(name, sign, label, enabled, onclick) {
  const properties = { type: "button", className: "quiet tool", disabled: !enabled, onclick, title: label };
  return element("button", { ...properties, "aria-label": label, "data-tool": name }, sign);
}

function textTool(name, label, onclick) {
  return element("button", { type: "button", className: "quiet tool", onclick, "data-tool": name }, label);
}
