/** An answer as text with numbered references, and its sources as a file for a reference manager. */

import { references } from "../calls/ask.js";
import { joined } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";

const words = wordsOf(texts);

/**
 * The answer as plain text. Each edition is one reference, numbered in the order in which the text first cites it, as
 * Vancouver style has it; the numbers in the text are these.
 */
export async function asText(answer) {
  const editions = citedEditions(answer);
  const lines = await referenceLines(editions);
  const number = new Map(editions.flatMap(({ citations }, at) => citations.map((one) => [one.marker, at + 1])));
  const said = answer.sentences.map((sentence) => {
    const numbers = [...new Set(sentence.citations.map((marker) => number.get(marker)))].map((one) => `[${one}]`);
    const doubt = words().short[sentence.verdict];
    return [sentence.text, numbers.join(""), doubt ? `(${doubt})` : ""].filter(Boolean).join(" ");
  });
  const apart = answer.mode === "extractive" ? "\n" : " ";
  return [
    answer.question,
    said.join(apart) || answer.text,
    lines.length ? `${words().references}\n${lines.join("\n")}` : "",
    [`Taiyi RAG, ${answer.created_at.slice(0, 10)}. ${words().disclaimer}`, answer.recorded ? addressOf(answer) : ""]
      .filter(Boolean)
      .join("\n"),
  ]
    .filter(Boolean)
    .join("\n\n");
}

/** Where the stored answer can be read. */
export function addressOf(answer) {
  return new URL(`#/answers/${encodeURIComponent(answer.id)}`, location.href).href;
}

/** Saves the sources as a RIS file. */
export async function downloadRis(answer) {
  const editions = citedEditions(answer);
  const known = await references(editions.map(({ id }) => id));
  const records = editions.map(({ id }) => known.get(id)?.ris).filter(Boolean);
  const url = URL.createObjectURL(new Blob([records.join("\r\n")], { type: "application/x-research-info-systems" }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: `taiyi-rag-${answer.id.slice(0, 8)}.ris` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Puts text on the clipboard; gives whether that worked. Without https only the older way is open. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text);
  }
}

function copiedTheOldWay(text) {
  const hadFocus = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const worked = document.execCommand("copy");
  field.remove();
  hadFocus?.focus();
  return worked;
}

function citedEditions(answer) {
  const order = answer.sentences.flatMap(({ citations }) => citations);
  const editions = new Map();
  for (const marker of order) {
    const citation = answer.citations.find((one) => one.marker === marker);
    if (!citation) continue;
    const edition = editions.get(citation.edition_id) || { id: citation.edition_id, citations: [] };
    if (!edition.citations.includes(citation)) edition.citations.push(citation);
    editions.set(citation.edition_id, edition);
  }
  return [...editions.values()];
}

/** A numbered line for each edition; of one that is gone by now, what the answer recorded of it. */
async function referenceLines(editions) {
  if (!editions.length) return [];
  const known = await references(editions.map(({ id }) => id));
  return editions.map(({ id, citations }, at) => {
    const [{ title, edition, publisher, published }] = citations;
    const line = known.get(id)?.vancouver || joined([title, edition, publisher, published]);
    const pages = [...new Set(citations.map(({ page }) => page).filter(Boolean))].sort((one, other) => one - other);
    return `${at + 1}. ${line}${pages.length ? ` ${words().pages(pages.join(", "))}.` : ""}`;
  });
}
