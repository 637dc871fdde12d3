/** The figures of the last hour: plots of requests, answers, verdicts and times, and a table of the stages. */

import { moment, number, table } from "../controls.js";
import { element } from "../dom.js";
import { currentLanguage } from "../words.js";
import { bars, byMinute, countsOf, line, meansOf, totalsOf } from "./plots.js";
import { words } from "./words.js";

const CLASSES = ["2", "3", "4", "5"];
const STATUSES = ["answered", "abstained", "partial", "failed"];
const VERDICTS = ["supported", "partial", "unsupported", "contradicted", "uncited", "withheld"];
const TIME = { timeStyle: "short" };

/** `health` is what the service said of itself, with `points` and `stages`. */
export function figures(health) {
  const minutes = byMinute(health.points, health.now);
  const { requests, answers, sentences, latency, classes, statuses, verdicts } = words();
  return [
    element("p", { className: "meta" }, words().figuresHint(moment(health.started_at))),
    element(
      "div",
      { className: "plots" },
      counted(requests, minutes, "requests", CLASSES, classes),
      counted(answers, minutes, "answers", STATUSES, statuses),
      counted(sentences, minutes, "sentences", VERDICTS, verdicts),
      timed(latency, minutes, health.stages),
    ),
    ...(health.stages.length ? [element("h4", {}, words().stages), stagesTable(health.stages)] : []),
  ];
}

function counted(title, minutes, kind, names, named) {
  const counts = countsOf(minutes, kind);
  const totals = totalsOf(counts);
  const all = Object.values(totals).reduce((sum, count) => sum + count, 0);
  const seen = names.filter((name) => totals[name]);
  const told = (some) => names.filter((name) => some[name]).map((name) => `${named[name]} ${number(some[name])}`).join(", ");
  const legend = seen.map((name) =>
    element("li", {}, element("span", { className: `swatch of-${name}` }), `${named[name]} ${number(totals[name])}`),
  );
  const drawn = bars(counts, names, `${title}: ${told(totals) || words().nothingYet}`, (at) =>
    words().perMinute(clock(minutes[at].at), told(counts[at])),
  );
  return figure(title, number(all), drawn, legend);
}

function timed(title, minutes, stages) {
  const means = meansOf(minutes, "total");
  const total = stages.find((stage) => stage.stage === "total");
  const legend = total ? [element("li", {}, `${words().p95} ${milliseconds(total.p95_ms)}`)] : [];
  const stated = total ? milliseconds(total.mean_ms) : "–";
  const drawn = line(means, `${title}: ${total ? stated : words().nothingYet}`, (at) =>
    words().perMinute(clock(minutes[at].at), milliseconds(means[at])),
  );
  return figure(title, stated, drawn, legend);
}

function figure(title, stated, drawn, legend) {
  return element(
    "figure",
    {},
    element("figcaption", {}, element("span", {}, title), element("strong", {}, stated)),
    drawn,
    element("div", { className: "axis", "aria-hidden": "true" }, element("span", {}, words().ago), element("span", {}, words().now)),
    element("ul", { className: "legend" }, ...(legend.length ? legend : [element("li", {}, words().nothingYet)])),
  );
}

function stagesTable(stages) {
  const { stage, times, mean, median, p95 } = words();
  const rows = stages.map((one) => [
    words().stageNames[one.stage] || one.stage,
    number(one.count),
    milliseconds(one.mean_ms),
    milliseconds(one.p50_ms),
    milliseconds(one.p95_ms),
  ]);
  return table([stage, times, mean, median, p95], rows, "stages");
}

function milliseconds(value) {
  if (value === null) return "–";
  if (value >= 1000) return `${(value / 1000).toLocaleString(currentLanguage(), { maximumFractionDigits: 1 })} s`;
  return `${value.toLocaleString(currentLanguage(), { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;
}

function clock(at) {
  return new Date(at).toLocaleTimeString(currentLanguage(), TIME);
}
