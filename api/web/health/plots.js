/** Small plots of the last hour, as SVG: stacked bars of what was counted each minute, and a line of what it took. */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [240, 56];
const MINUTES = 60;
const MINUTE_MS = 60_000;

/** The points of the service by minutes before `now`, 60 of them, the oldest first. */
export function byMinute(points, now) {
  const ends = new Date(now).getTime();
  const minutes = Array.from({ length: MINUTES }, (_, at) => ({ at: ends - (MINUTES - 1 - at) * MINUTE_MS, points: [] }));
  for (const point of points) {
    const before = Math.floor((ends - new Date(point.at).getTime()) / MINUTE_MS);
    if (before >= 0 && before < MINUTES) minutes[MINUTES - 1 - before].points.push(point);
  }
  return minutes;
}

/** Of each minute, what was counted under `kind`: `{ name: count }`. */
export function countsOf(minutes, kind) {
  return minutes.map((minute) => {
    const counts = {};
    for (const point of minute.points) {
      for (const [name, count] of Object.entries(point[kind])) counts[name] = (counts[name] || 0) + count;
    }
    return counts;
  });
}

/** Of each minute, the mean time of a stage in milliseconds; null where there was none. */
export function meansOf(minutes, stage) {
  return minutes.map(({ points }) => {
    const times = points.map((point) => point.stages_ms[stage]).filter((time) => time !== undefined);
    return times.length ? times.reduce((sum, time) => sum + time, 0) / times.length : null;
  });
}

export function totalsOf(counts) {
  const totals = {};
  for (const minute of counts) for (const [name, count] of Object.entries(minute)) totals[name] = (totals[name] || 0) + count;
  return totals;
}

/** `names` are stacked in their order, each in the colour of its class; `told(at)` is said of a minute. */
export function bars(counts, names, label, told) {
  const highest = Math.max(1, ...counts.map((minute) => names.reduce((sum, name) => sum + (minute[name] || 0), 0)));
  const step = WIDTH / counts.length;
  const drawn = counts.flatMap((minute, at) => {
    let top = HEIGHT;
    const parts = names.filter((name) => minute[name]).map((name) => {
      const height = (minute[name] / highest) * (HEIGHT - 4);
      top -= height;
      return shape("rect", { class: `of-${name}`, x: at * step + 0.5, y: top, width: step - 1, height });
    });
    return parts.length ? [titled(shape("g", {}, ...parts), told(at))] : [];
  });
  return plot(label, drawn);
}

/** A dot a minute, joined where minutes follow one another. */
export function line(values, label, told) {
  const known = values.filter((value) => value !== null);
  const highest = Math.max(1, ...known);
  const step = WIDTH / values.length;
  const place = (at) => [at * step + step / 2, HEIGHT - 3 - (values[at] / highest) * (HEIGHT - 8)];
  const drawn = [];
  values.forEach((value, at) => {
    if (value === null) return;
    const [x, y] = place(at);
    if (at && values[at - 1] !== null) {
      const [x1, y1] = place(at - 1);
      drawn.push(shape("line", { x1, y1, x2: x, y2: y }));
    }
    drawn.push(titled(shape("circle", { cx: x, cy: y, r: 2 }), told(at)));
  });
  return plot(label, drawn);
}

function plot(label, drawn) {
  const ground = shape("line", { class: "ground", x1: 0, y1: HEIGHT - 0.5, x2: WIDTH, y2: HEIGHT - 0.5 });
  const made = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", preserveAspectRatio: "none" }, ground, ...drawn);
  made.setAttribute("aria-label", label);
  return made;
}

function titled(node, text) {
  const title = shape("title", {});
  title.textContent = text;
  node.append(title);
  return node;
}

function shape(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
