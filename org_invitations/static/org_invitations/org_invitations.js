/* The pages work without this. With it: answers that are refusals are shown, what is loading says
   so, the question to revoke opens in a dialog, focus is never lost, and times are the reader's. */
(() => {
  const byId = (id) => document.getElementById(`org-invitations-${id}`);
  const rootOf = (element) => element?.closest?.("[data-org-invitations]");
  let returnTo = null; // where the focus was, and where it goes if that is gone
  let neighbour = null;

  // Capturing at the document: before htmx's own listeners and django-htmx's, which in DEBUG
  // replaces the page with any 403 or 404.
  const on = (name, handle) =>
    document.addEventListener(
      name,
      (event) => {
        const root = rootOf(event.target);
        if (root) handle(event, root, event.detail);
      },
      true,
    );
  const say = (text, look) => {
    const paragraph = document.createElement("p");
    paragraph.className = `org-invitations-${look}`;
    paragraph.textContent = text;
    return paragraph;
  };
  const isOurs = (detail) => detail.xhr?.getResponseHeader("Org-Invitations-Fragment");

  on("htmx:beforeSend", (event, root, { elt, target }) => {
    returnTo = document.activeElement;
    const row = elt.closest("tr");
    if (row) {
      const next = row.nextElementSibling || row.previousElementSibling;
      neighbour = next?.querySelector("[id$=-revoke]")?.id;
    }
    target.setAttribute("aria-busy", "true");
    elt.setAttribute("aria-busy", "true");
    elt.querySelectorAll("fieldset").forEach((set) => (set.disabled = true));
    byId("alert")?.replaceChildren();
    // Cleared first, so that the same sentence twice is announced twice.
    byId("status")?.replaceChildren(say(root.dataset.loading, "visually-hidden"));
  });

  on("htmx:beforeOnLoad", (event, root, detail) => {
    if (isOurs(detail)) event.stopPropagation();
  });

  on("htmx:beforeSwap", (event, root, detail) => {
    if (isOurs(detail)) {
      detail.shouldSwap = true;
      detail.isError = false;
    }
  });

  on("htmx:afterRequest", (event, root, { elt, target, xhr }) => {
    target.removeAttribute("aria-busy");
    elt.removeAttribute("aria-busy");
    elt.querySelectorAll("fieldset").forEach((set) => (set.disabled = false));
    const status = byId("status");
    if (status?.textContent === root.dataset.loading) status.replaceChildren();
    if (!xhr.status || (xhr.status >= 400 && !isOurs({ xhr }))) {
      const place = elt.closest("dialog")?.querySelector("[data-problem]") || byId("alert");
      place?.replaceChildren(say(root.dataset.failed, "summary"));
    }
    if (document.activeElement === document.body && returnTo?.isConnected) returnTo.focus();
  });

  on("htmx:afterSettle", (event, root) => {
    const dialog = root.querySelector("dialog");
    if (event.target.id === "org-invitations-dialog" || event.target.closest("dialog")) {
      if (!dialog.open) dialog.showModal();
      dialog.querySelector("[autofocus]")?.focus();
      return;
    }
    showTimes(event.target);
    if (event.target.id !== "org-invitations-list") return;
    const lost = document.activeElement === document.body || dialog?.open;
    dialog?.close();
    if (lost) (document.getElementById(neighbour) || byId("list-title"))?.focus();
    neighbour = null;
  });

  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (!dialog) return;
    event.preventDefault();
    dialog.close();
  });

  const showTimes = (element) => {
    const language = document.documentElement.lang || undefined;
    element.querySelectorAll("time").forEach((time) => {
      const moment = new Date(time.dateTime);
      time.textContent = moment.toLocaleDateString(language, { dateStyle: "medium" });
      time.title = moment.toLocaleString(language, { dateStyle: "full", timeStyle: "short" });
    });
  };
  document.querySelectorAll("[data-org-invitations]").forEach(showTimes);
})();
