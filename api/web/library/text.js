/** The text of an edition, some passages at a time, under its headings; a passage opens in the source panel. */

import * as calls from "../calls/library.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { openSource } from "../source.js";
import { button, choice, words } from "./parts.js";

const AT_ONCE = 40;
const MOST_HEADINGS = 500;
const SEPARATOR = " > ";

/** `load(document, edition, at)`, then `nodes()`; a choice of another place draws into the same nodes. */
export function textPart(signal) {
  let document, edition, read, at;
  const region = element("section", { className: "reading-text", id: "text" });

  async function load(ofDocument, ofEdition, from) {
    [document, edition] = [ofDocument, ofEdition];
    await turnTo(from, true);
  }

  async function turnTo(from, isFirst = false) {
    try {
      read = await calls.passages(document.id, edition.id, from, AT_ONCE, signal);
      at = from;
    } catch (problem) {
      if (isFirst || problem.kind === undefined) throw problem;
      region.prepend(problemBox(problem));
      return;
    }
    if (isFirst) return;
    draw();
    region.scrollIntoView();
  }

  function draw() {
    const title = element("h3", {}, words().text);
    if (!read.total) {
      region.replaceChildren(title, element("p", { className: "meta" }, words().noText));
      return;
    }
    const last = at + read.pieces.length;
    const isWhole = at === 0 && last >= read.total;
    region.replaceChildren(
      ...[
        title,
        outline(),
        isWhole ? null : element("p", { className: "meta" }, words().partOf(at + 1, last, read.total)),
        at > 0 ? button(words().earlierText, () => turnTo(Math.max(0, at - AT_ONCE))) : null,
        ...read.pieces.flatMap((piece, index) => pieceNodes(piece, read.pieces[index - 1])),
        last < read.total ? button(words().moreText, () => turnTo(last)) : null,
      ].filter(Boolean),
    );
  }

  /** The way to a section of a long text. */
  function outline() {
    const { headings } = read;
    if (headings.length < 2 || read.total <= AT_ONCE) return null;
    const step = Math.ceil(headings.length / MOST_HEADINGS);
    const options = headings
      .filter((_, index) => index % step === 0)
      .map(({ section, page, ordinal }) => [
        String(ordinal),
        `${section || words().noSection}${page === null ? "" : `, ${words().page(page)}`}`,
      ]);
    const current = options.findLast(([ordinal]) => Number(ordinal) <= at) || options[0];
    return element(
      "label",
      { className: "outline" },
      element("span", {}, words().sections),
      choice(options, current[0], (ordinal) => turnTo(Number(ordinal))),
    );
  }

  function pieceNodes(piece, before) {
    const heading =
      !before || before.section !== piece.section ? quoted("h4", piece.section || "", edition.language) : null;
    const place = { ...edition, ...piece, document_id: document.id, edition_id: edition.id, flags: undefined };
    const openIt = button(
      piece.page === null ? `¶ ${piece.ordinal + 1}` : words().page(piece.page),
      () => openSource(place),
      "place",
    );
    openIt.title = words().openPassage;
    openIt.setAttribute("aria-label", `${openIt.textContent}, ${words().openPassage} ${piece.ordinal + 1}`);
    const text = quoted("p", withoutHeading(piece), edition.language, piece.flags.length ? "text flagged" : "text");
    return [piece.section ? heading : null, element("div", { className: "piece" }, openIt, text)].filter(Boolean);
  }

  return {
    load,
    nodes() {
      draw();
      return region;
    },
  };
}

/** The text of a passage without the heading that it begins with, where that stands above it already. */
function withoutHeading({ text, section }) {
  const heading = (section || "").split(SEPARATOR).at(-1);
  const words = text.trimStart();
  return heading && words.startsWith(`${heading}\n`) ? words.slice(heading.length).trimStart() : text;
}
