/** The receipt of a deletion: what is gone, since when, and what was erased. */

import { element } from "../dom.js";
import { factList, moment, words } from "./parts.js";

export function receiptNodes(receipt) {
  const named = words().receipt;
  const { yes, no, erasedTitle } = words();
  return element(
    "div",
    { className: "box receipt", "data-receipt": receipt.id },
    element("p", { className: "box-title" }, receipt.purged ? words().purgedTitle : words().receiptTitle),
    factList([
      [named.title, receipt.title || erasedTitle],
      [named.collection, receipt.collection],
      [named.deleted_at, moment(receipt.deleted_at)],
      [named.editions, receipt.editions],
      [named.passages, receipt.passages],
      [named.purged, receipt.purged ? yes : no],
      [named.original_erased, receipt.purged ? (receipt.original_erased ? yes : no) : null],
      [named.generation, receipt.generation],
      [named.document_id, receipt.document_id],
      [named.id, receipt.id],
    ]),
  );
}
