/** A document's own page: what is known of it, its editions, what screening flagged, its text; and what an editor does. */

import * as calls from "../calls/library.js";
import { confirmation } from "../confirmation.js";
import { element, joined, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { receiptNodes } from "./receipt.js";
import { proposalNodes } from "./proposal.js";
import { textPart } from "./text.js";
import {
  button,
  documentAddress,
  documentsAddress,
  factList,
  labelled,
  languageName,
  link,
  moment,
  short,
  shownEdition,
  standingTag,
  words,
} from "./parts.js";

export async function open(region, { rest: documentId, query }, context) {
  const { signal, mayEdit } = context;
  let loaded = null;
  let receipt = null;
  let note = null;
  const text = textPart(signal);

  async function load() {
    const document = await calls.document(documentId, signal);
    const [flagged, proposals] = await Promise.all([
      document.editions.some((edition) => edition.flagged) ? calls.flagged(document.id, signal) : [],
      mayEdit ? calls.proposals(signal) : [],
    ]);
    const about = proposals.filter(({ document: one, like }) => [one.id, like.id].includes(document.id));
    loaded = { document, flagged, proposals: about };
    const asked = query.get("edition");
    const chosen = document.editions.find((edition) => edition.id === asked) || shownEdition(document);
    await text.load(document, chosen, Math.max(0, Number.parseInt(query.get("at"), 10) || 0));
    return chosen;
  }

  let chosen = await load();

  function draw() {
    if (receipt) {
      region.replaceChildren(
        receiptNodes(receipt),
        element(
          "p",
          { className: "ways" },
          link(words().backToList, documentsAddress()),
          mayEdit ? link(words().toReceipts, "#/library/review") : null,
        ),
      );
      region.querySelector(".receipt").setAttribute("tabindex", "-1");
      return;
    }
    const { document, flagged, proposals } = loaded;
    region.replaceChildren(
      ...[
        element("p", {}, link(`‹ ${words().backToList}`, documentsAddress({ collection: document.collection }))),
        headerNodes(document, chosen),
        note && element("p", { className: "notices", role: "status" }, note()),
        ...proposals.map((proposal) =>
          element(
            "section",
            { className: "box" },
            element("h3", {}, words().proposal),
            element("p", { className: "meta" }, words().proposalHint),
            proposalNodes(proposal, afterDecision),
          ),
        ),
        element("div", { className: "document-facts" }, factList(facts(document, chosen))),
        historyNodes(document, chosen),
        flagged.length ? flaggedNodes(flagged, document) : null,
        text.nodes(),
      ].filter(Boolean),
    );
  }

  function headerNodes(document, edition) {
    const isRetired = Boolean(edition.retired_on);
    const title = quoted("h3", short(edition.title || document.title, 400), edition.language, "document-title");
    return element(
      "div",
      { className: "document-head" },
      element(
        "div",
        {},
        title,
        element(
          "p",
          { className: "meta" },
          standingTag(edition.standing),
          " ",
          words().standingReasons[edition.standing],
        ),
      ),
      mayEdit
        ? element(
            "div",
            { className: "buttons" },
            isRetired ? button(words().takeBack, takeBack) : button(words().retire, askRetire),
            button(words().remove, () => askRemove(null), "quiet danger"),
          )
        : null,
    );
  }

  function historyNodes(document, shown) {
    const rows = document.editions.map((edition) =>
      element(
        "tr",
        edition.id === shown.id ? { className: "shown-edition" } : {},
        cell(words().facts.edition, edition.edition || edition.published || words().undated),
        cell(words().facts.inForce, words().inForce(edition.in_force_from, edition.in_force_until)),
        cell(words().state, standingTag(edition.standing)),
        cell(words().facts.ingested_at, moment(edition.ingested_at)),
        cell(words().facts.source, quoted("span", short(edition.source, 80), "")),
        cell(
          words().facts.passages,
          edition.flagged ? `${edition.passages} (${words().flagged(edition.flagged)})` : String(edition.passages),
        ),
        element(
          "td",
          { className: "buttons" },
          edition.id === shown.id
            ? element("span", { className: "meta" }, words().shown)
            : link(words().show, documentAddress(document.id, { edition: edition.id }), "quiet"),
          mayEdit && document.editions.length > 1
            ? button(words().removeEdition, () => askRemove(edition), "quiet danger")
            : "",
        ),
      ),
    );
    const heads = [
      words().facts.edition,
      words().facts.inForce,
      words().state,
      words().facts.ingested_at,
      words().facts.source,
      words().facts.passages,
    ];
    return element(
      "section",
      {},
      element("h3", {}, words().history),
      element(
        "div",
        { className: "scrolling" },
        element(
          "table",
          { className: "editions-table" },
          element(
            "thead",
            {},
            element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)), element("td", {})),
          ),
          element("tbody", {}, ...rows),
        ),
      ),
    );
  }

  function askRetire() {
    const day = element("input", {
      type: "date",
      name: "on",
      value: new Date().toISOString().slice(0, 10),
      required: true,
    });
    confirmation({
      title: words().retireTitle,
      content: [element("p", {}, words().retireHint), labelled(words().retireFrom, day)],
      label: () => words().retire,
      act: async () => {
        await calls.retire(loaded.document.id, day.value);
        await again(null);
      },
    });
  }

  async function takeBack() {
    try {
      await calls.takeBackRetirement(loaded.document.id);
      await again(null);
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      region.prepend(problemBox(problem));
    }
  }

  /** Names what goes, before anything does. */
  function askRemove(edition) {
    const { document } = loaded;
    const going = edition ? [edition] : document.editions;
    const passages = going.reduce((sum, one) => sum + one.passages, 0);
    const purge = element("input", { type: "checkbox", name: "purge" });
    const content = [
      element("p", {}, words().removeNames),
      element(
        "ul",
        { className: "going" },
        quoted("li", short((edition || document).title, 200), document.language, "title"),
        ...going.map((one) => quoted("li", joined([one.edition, one.published, one.source]), "")),
        element("li", {}, joined([words().editions(going.length), words().passages(passages)])),
        element("li", {}, `${words().facts.collection} `, quoted("strong", document.collection, "")),
      ),
      element("p", { className: "meta" }, words().removeHint),
    ];
    if (context.mayPurge) {
      content.push(
        element("label", { className: "check" }, purge, element("span", {}, words().purge)),
        element("p", { className: "meta" }, words().purgeHint),
      );
    }
    confirmation({
      title: edition ? words().removeEditionTitle : words().removeTitle,
      content,
      label: () => (purge.checked ? words().purgeNow : words().removeNow),
      danger: true,
      act: async () => {
        receipt = await calls.remove(document.id, edition?.id, purge.checked);
        draw();
        region.querySelector(".receipt").focus();
      },
    });
  }

  async function afterDecision(accepted, kept) {
    if (kept !== documentId) location.replace(documentAddress(kept));
    else await again(() => words().decided[accepted]);
  }

  async function again(told) {
    note = told;
    chosen = await load();
    draw();
  }

  draw();
  if (query.get("at") === "flagged") region.querySelector("#flagged")?.scrollIntoView();
  return { redraw: draw };
}

function facts(document, edition) {
  const named = words().facts;
  const listed = (values) => (values?.length ? values.join("; ") : null);
  const linked = (text, href) => text && element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
  return [
    [named.inForce, words().inForce(edition.in_force_from, edition.in_force_until)],
    [named.publisher, edition.publisher],
    [named.journal, edition.journal],
    [named.authors, listed(edition.authors) && short(listed(edition.authors), 400)],
    [named.edition, edition.edition],
    [named.published, edition.published],
    [named.effective, edition.effective],
    [named.review_by, edition.review_by],
    [named.withdrawn, edition.withdrawn],
    [named.retired_on, edition.retired_on],
    [named.retraction, edition.retraction],
    [named.supersedes, edition.supersedes],
    [named.publication_types, listed(edition.publication_types)],
    [named.study_design, edition.study_design],
    [named.evidence_grade, edition.evidence_grade],
    [named.language, edition.language && languageName(edition.language)],
    [named.collection, document.collection],
    [named.external_id, edition.external_id],
    [named.doi, linked(edition.doi, `https://doi.org/${encodeURI(edition.doi || "")}`)],
    [named.pmid, linked(edition.pmid, `https://pubmed.ncbi.nlm.nih.gov/${encodeURIComponent(edition.pmid || "")}/`)],
    [named.pmcid, edition.pmcid],
    [named.url, /^https?:\/\//i.test(edition.url || "") ? linked(edition.url, edition.url) : edition.url],
    [named.licence, edition.licence],
    [named.format, edition.format],
    [named.source, edition.source],
  ];
}

function flaggedNodes(flagged, document) {
  return element(
    "section",
    { id: "flagged" },
    element("h3", {}, words().flaggedTitle),
    element("p", { className: "meta" }, words().flaggedHint),
    element(
      "ul",
      { className: "documents" },
      ...flagged.map((one) =>
        element(
          "li",
          {},
          element(
            "p",
            { className: "meta" },
            element("span", { className: "doubt" }, one.flags.map((flag) => words().flags[flag] || flag).join(", ")),
            one.section ? " · " : "",
            quoted("span", one.section || "", ""),
            one.page === null ? "" : ` · ${words().page(one.page)}`,
          ),
          quoted("p", short(one.text, 2000), document.language, "text"),
        ),
      ),
    ),
  );
}

function cell(name, content) {
  const made = element("td", { "data-column": name, dir: "auto" });
  made.append(content);
  return made;
}
