/** The statements of two answers side by side: which stand in one row, and what becomes of the row. */

/**
 * The rows of a `difference`, in the order of the grounded answer, then what only the other one has. Each is
 * `{ kind, grounded, ungrounded }`: the statements of either side, and `same`, `number` (another number in its place),
 * `contradicted`, `related` (of the same, but neither says what the other says), `onlyGrounded` or `onlyUngrounded`.
 */
export function alignedRows({ grounded, ungrounded, numbers }) {
  const rows = grounded.map((one) => ({
    grounded: [one],
    ungrounded: ungrounded.filter((other) => other.counterpart === one.index),
  }));
  for (const row of rows.filter((one) => !one.ungrounded.length)) join(row, rows, ungrounded);
  const placed = new Set(rows.flatMap((row) => row.ungrounded));
  const alone = ungrounded.filter((one) => !placed.has(one)).map((one) => ({ grounded: [], ungrounded: [one] }));
  return [...rows.filter((row) => row.grounded.length), ...alone].map((row) => ({ kind: kindOf(row, numbers), ...row }));
}

/** Puts a statement that none speaks of, but which speaks of another itself, into the row of that one. */
function join(row, rows, ungrounded) {
  const [own] = row.grounded;
  const other = ungrounded.find((one) => one.index === own.counterpart);
  if (!other) return;
  const host = rows.find((one) => one.ungrounded.includes(other));
  if (host) host.grounded.push(...row.grounded.splice(0));
  else row.ungrounded.push(other);
}

function kindOf(row, numbers) {
  const statements = [...row.grounded, ...row.ungrounded];
  if (numbers.differ.some((pair) => isIn(pair, row))) return "number";
  if (statements.some((one) => one.other_side === "disagrees")) return "contradicted";
  if (statements.some((one) => one.other_side === "agrees")) return "same";
  if (!row.ungrounded.length) return "onlyGrounded";
  return row.grounded.length ? "related" : "onlyUngrounded";
}

function isIn(pair, row) {
  const has = (side, index) => row[side].some((one) => one.index === index);
  return has("grounded", pair.grounded_index) && has("ungrounded", pair.ungrounded_index);
}

/** The numbers of a statement that stand in another's place, as it writes them. `side` is `grounded` or `ungrounded`. */
export function otherNumbers(side, index, numbers) {
  return numbers.differ.filter((pair) => pair[`${side}_index`] === index).flatMap((pair) => pair[side]);
}

/** A text in parts, `[text, isMarked]`, those marked that are in `wanted`. */
export function markedParts(text, wanted) {
  const places = wanted
    .map((one) => [text.indexOf(one), one.length])
    .filter(([at]) => at >= 0)
    .sort(([one], [other]) => one - other);
  const parts = [];
  let done = 0;
  for (const [at, length] of places) {
    if (at < done) continue;
    parts.push([text.slice(done, at), false], [text.slice(at, at + length), true]);
    done = at + length;
  }
  return [...parts, [text.slice(done), false]].filter(([part]) => part);
}
