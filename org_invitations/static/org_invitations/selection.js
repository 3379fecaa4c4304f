// What ticking rows does. It is loaded with the first tick, and keeps the ticks while pages are turned.
const byId = (id) => document.getElementById(`org-invitations-${id}`);
const chosen = new Set(); // ids of invitations, of other pages too

const boxesOf = (form) => [...form.querySelectorAll("[name=selected][type=checkbox]")];

const show = (form) => {
  const boxes = boxesOf(form);
  const all = form.querySelector("[data-selected]");
  const whole = form.querySelector("[name=all]");
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
  const count = whole?.checked ? whole.dataset.count : chosen.size;
  byId("selected").textContent = all.dataset.selected.replace("0", count);
  for (const button of form.querySelectorAll("[data-counted]"))
    button.textContent = button.dataset.counted.replace("0", count);
};

export const choose = (target) => {
  const { form } = target;
  const whole = form.querySelector("[name=all]");
  // Whoever takes all of them, or all of the page, sees the ticks; and whoever leaves one out has not all any more.
  if (target.name !== "selected") for (const box of boxesOf(form)) box.checked = target.checked;
  if (whole && !target.checked) whole.checked = false;
  for (const box of boxesOf(form)) chosen[box.checked ? "add" : "delete"](box.value);
  show(form);
};

const clear = (form) => {
  chosen.clear();
  for (const field of form.querySelectorAll("[name=selected][type=hidden]")) field.remove();
  for (const box of form.querySelectorAll("[type=checkbox]")) box.checked = false;
  show(form);
  form.querySelector("[data-selected]").focus();
};

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-unselect]")) clear(target.form);
});

const keep = ({ target, detail }) => {
  const form = byId("selection");
  if (target !== byId("list")) return;
  const asked = detail.requestConfig?.elt || detail.ctx?.sourceElement;
  const isSameList = asked?.closest(".org-invitations-pagination, thead");
  if (!isSameList) chosen.clear();
  if (!form || !chosen.size) return;
  const there = new Set();
  for (const box of boxesOf(form)) {
    box.checked = chosen.has(box.value);
    there.add(box.value);
  }
  for (const id of chosen) {
    if (there.has(id)) continue;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "selected", value: id });
    form.append(field);
  }
  show(form);
};
document.addEventListener("htmx:afterSettle", keep);
document.addEventListener("htmx:after:settle", keep);
