/** Two documents that may be editions of one, and the two ways to decide it. */

import * as calls from "../calls/library.js";
import { element, joined, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { button, documentAddress, shownEdition, standingTag, titleLink, words } from "./parts.js";

/** `decided(accepted, documentId)` is called once the service has taken the decision. */
export function proposalNodes(proposal, decided) {
  const said = element("div");
  said.setAttribute("aria-live", "polite");
  const decide = async (accept) => {
    for (const one of buttons) one.disabled = true;
    try {
      const { document_id: kept } = await calls.decide(proposal, accept);
      decided(accept, kept);
    } catch (problem) {
      for (const one of buttons) one.disabled = false;
      if (problem.kind === undefined) throw problem;
      said.replaceChildren(problemBox(problem));
    }
  };
  const buttons = [button(words().accept, () => decide(true)), button(words().reject, () => decide(false))];
  return element(
    "div",
    { className: "proposal" },
    element("div", { className: "pair" }, side(words().newer, proposal.document), side(words().older, proposal.like)),
    element("div", { className: "buttons" }, ...buttons),
    said,
  );
}

function side(label, document) {
  const edition = shownEdition(document);
  return element(
    "div",
    {},
    element("p", { className: "meta" }, label),
    titleLink(document.title, documentAddress(document.id), document.language),
    quoted(
      "p",
      joined([document.publisher, edition.edition, edition.published || words().undated, edition.source]),
      "",
      "meta",
    ),
    standingTag(edition.standing),
  );
}
