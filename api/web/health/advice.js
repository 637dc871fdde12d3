/** What follows from how the service is: what is wrong and what to do next, the worst first. */

import { bytes, number } from "../controls.js";
import { totalsOf } from "./plots.js";
import { words } from "./words.js";

const LEAST_FREE = 2e9;
const LEAST_PART_FREE = 0.05;
const FEW_ANSWERS = 10;

/**
 * `{ level, text, lang, title, href, label }` each; `level` is `bad`, `warn` or `note`. `health` is what the service
 * said of itself, `collections` what the reader may read.
 */
export function advice(health, collections) {
  return [...ofChecks(health), ...(health.whole ? ofWhole(health) : []), ...ofModels(health), ...ofLibrary(health, collections)];
}

function ofChecks({ checks }) {
  return Object.entries(checks)
    .filter(([, said]) => !said.startsWith("ok"))
    .map(([name, said]) => ({ level: "bad", title: words().checks[name] || name, text: said, lang: "en" }));
}

function ofWhole({ whole, checks, points }) {
  const said = words().advice;
  const found = [];
  const { index, jobs, searches } = whole;
  if (index.missing) found.push({ level: "bad", text: said.segments(index.missing) });
  const requests = totalsOf(points.map((point) => point.requests));
  if (requests[5]) found.push({ level: "warn", text: said.errors(requests[5]) });
  if (whole.disk_free < Math.max(LEAST_FREE, whole.disk_total * LEAST_PART_FREE)) {
    found.push({ level: "warn", text: said.diskLow(bytes(whole.disk_free)) });
  }
  if (jobs.queued && checks.worker === undefined) found.push({ level: "warn", text: said.noWorker(jobs.queued) });
  if (whole.failed_lately) {
    found.push({ level: "warn", text: said.failedJobs(whole.failed_lately), href: "#/library/load", label: words().toJobs });
  }
  if (index.other_vectors) found.push({ level: "warn", text: said.otherVectors(number(index.other_vectors)) });
  if (searches.waiting) found.push({ level: "warn", text: said.waiting(searches.waiting) });
  const answers = totalsOf(points.map((point) => point.answers));
  const all = Object.values(answers).reduce((sum, count) => sum + count, 0);
  if (all >= FEW_ANSWERS && answers.abstained > all / 2) {
    found.push({ level: "note", text: said.abstaining(answers.abstained, all), href: "#/library/review", label: words().toReview });
  }
  if (!whole.keys_in_force && !whole.provider) {
    found.push({ level: "note", text: said.noKeys, href: "#/record/keys", label: words().toKeys });
  }
  return found;
}

function ofModels({ models, checks, whole }) {
  const said = words().advice;
  const named = Object.fromEntries(models.map((model) => [model.part, model]));
  const found = ["embedder", "entailment"]
    .filter((part) => named[part]?.calibrated === false)
    .map((part) => ({ level: "warn", text: said[part] }));
  if (whole && checks["language model"] === undefined) found.push({ level: "note", text: said.noModel });
  return found;
}

function ofLibrary({ whole }, collections) {
  if (!whole || collections.some((one) => one.documents)) return [];
  return [{ level: "note", text: words().advice.noDocuments, href: "#/library/load", label: words().toLibrary }];
}
