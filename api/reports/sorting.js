// Tables of class "sortable" are sorted by a click on the head of a column: once upwards, again downwards, a third time
// as they were. The first line of a cell counts: as a number where it begins with one in every cell, else as words; cells
// without a value stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const asTheyWere = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort ?? "none"];
      for (const one of heads) one.removeAttribute("aria-sort");
      if (order !== "none") head.setAttribute("aria-sort", order);
      body.append(...(order === "none" ? asTheyWere : sorted(asTheyWere, column, order === "descending")));
    });
  });
}

function sorted(rows, column, isDownwards) {
  const said = new Map(rows.map((row) => [row, row.cells[column].innerText.trim().split("\n")[0].trim()]));
  const isMissing = (row) => said.get(row) === "–" || said.get(row) === "";
  const here = rows.filter((row) => !isMissing(row));
  const isNumber = here.every((row) => !Number.isNaN(parseFloat(said.get(row))));
  const compared = isNumber
    ? (one, other) => parseFloat(said.get(one)) - parseFloat(said.get(other))
    : (one, other) => said.get(one).localeCompare(said.get(other));
  here.sort((one, other) => (isDownwards ? -compared(one, other) : compared(one, other)));
  return [...here, ...rows.filter(isMissing)];
}
