// The pages work without this; docs/templates.md says what it adds, and why.
(() => {
  const byId = (id) => document.getElementById(`org-invitations-${id}`);
  const busy = new WeakMap();
  const renewed = new WeakSet();
  let returnTo, neighbour;

  const on = (name, handle) =>
    document.addEventListener(
      `htmx:${name}`,
      (event) => {
        const root = event.target.closest?.("[data-org-invitations]");
        if (root) handle(event, root, event.detail);
      },
      true,
    );
  const isOurs = (xhr) => xhr.getResponseHeader("Org-Invitations-Fragment");
  const say = (text, look) => {
    const line = document.createElement("p");
    line.className = `org-invitations-${look}`;
    line.textContent = text;
    return line;
  };
  const disable = (elt, yes) => {
    for (const set of elt.querySelectorAll("fieldset")) set.disabled = yes;
  };

  on("beforeSend", (event, root, { elt, target, xhr }) => {
    returnTo = document.activeElement;
    const row = elt.closest("tr");
    if (row) {
      const next = row.nextElementSibling || row.previousElementSibling;
      neighbour = next?.querySelector("[id$=-revoke]")?.id;
    }
    busy.set(xhr, [elt, target]);
    for (const element of [elt, target]) element.setAttribute("aria-busy", "true");
    disable(elt, true);
    byId("alert")?.replaceChildren();
    byId("status")?.replaceChildren(say(root.dataset.loading, "visually-hidden"));
  });

  on("beforeOnLoad", (event, root, { xhr }) => isOurs(xhr) && event.stopPropagation());

  on("beforeSwap", (event, root, detail) => {
    const { xhr } = detail;
    const { elt } = detail.requestConfig;
    if (!isOurs(xhr)) return;
    const url = xhr.getResponseHeader("Org-Invitations-Renew");
    detail.shouldSwap = !url || renewed.has(elt);
    detail.isError = false;
    if (detail.shouldSwap) return;
    renewed.add(elt);
    busy.delete(xhr);
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = url;
    const again = () => {
      if (!frame.isConnected) return;
      frame.remove();
      disable(elt, false);
      elt.requestSubmit ? elt.requestSubmit() : elt.click();
    };
    frame.onload = again;
    setTimeout(again, 1e4);
    root.append(frame);
  });

  on("afterRequest", (event, root, { elt, xhr }) => {
    if (!busy.has(xhr)) return;
    renewed.delete(elt);
    for (const element of busy.get(xhr)) element.removeAttribute("aria-busy");
    disable(elt, false);
    const status = byId("status");
    if (status?.textContent === root.dataset.loading) status.replaceChildren();
    if (!xhr.status || (xhr.status >= 400 && !isOurs(xhr))) {
      const place = elt.closest("dialog")?.querySelector("[data-problem]") || byId("alert");
      place?.replaceChildren(say(root.dataset.failed, "summary"));
    }
    if (document.activeElement === document.body && returnTo?.isConnected) returnTo.focus();
  });

  on("afterSettle", ({ target }, root) => {
    const dialog = root.querySelector("dialog");
    if (target.closest("dialog")) {
      if (!dialog.open) dialog.showModal();
      dialog.querySelector("[autofocus]")?.focus();
      return;
    }
    if (target !== byId("list")) return;
    const lost = document.activeElement === document.body || dialog?.open;
    dialog?.close();
    if (lost) (document.getElementById(neighbour) || byId("list-title")).focus();
    neighbour = null;
  });

  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (!dialog) return;
    event.preventDefault();
    dialog.close();
  });

  document.addEventListener("htmx:load", ({ target }) => {
    const lang = document.documentElement.lang || [];
    for (const time of target.querySelectorAll("[data-org-invitations] time")) {
      const moment = new Date(time.dateTime);
      time.textContent = moment.toLocaleDateString(lang, { dateStyle: "medium" });
      time.title = moment.toLocaleString(lang, { dateStyle: "full", timeStyle: "short" });
    }
  });
})();
