(() => {
  const byId = (id) => document.getElementById(`org-invitations-${id}`);
  const renewed = new WeakSet();
  let returnTo, neighbour;

  const on = (name, handle) =>
    document.addEventListener(
      `htmx:${name}`,
      (event) => {
        const root = event.target.closest?.("[data-org-invitations]");
        if (root) handle(event.detail, root, event);
      },
      true,
    );
  const isOurs = (xhr) => xhr.getResponseHeader("Org-Invitations-Fragment");
  const isLost = () => document.activeElement === document.body;
  const say = (place, text) => place && (place.textContent = text);
  const disable = (elt, yes) => elt.querySelector("fieldset")?.toggleAttribute("disabled", yes);

  on("beforeSend", ({ elt, target }, root) => {
    returnTo = document.activeElement;
    const row = elt.closest("tr");
    const next = row?.nextElementSibling || row?.previousElementSibling;
    if (row) neighbour = `#${next?.id} [href*="/${elt.href?.split("/").at(-2)}/"]`;
    elt.ariaBusy = target.ariaBusy = true;
    disable(elt, true);
    if (elt.hidden || !/list|form/.test(target.id)) return;
    say(byId("alert"), "");
    say(byId("status"), root.dataset.loading);
  });

  on("beforeOnLoad", ({ xhr }, root, event) => isOurs(xhr) && event.stopPropagation());

  on("beforeSwap", (detail, root) => {
    const { xhr, elt } = { ...detail, ...detail.requestConfig };
    if (!isOurs(xhr)) return;
    const url = xhr.getResponseHeader("Org-Invitations-Renew");
    detail.isError = false;
    if ((detail.shouldSwap = !url || renewed.has(elt))) return;
    renewed.add(elt).add(xhr);
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = url;
    const again = () => {
      if (!frame.isConnected) return;
      frame.remove();
      disable(elt, false);
      (elt.requestSubmit || elt.click).call(elt);
      elt.dispatchEvent(new Event("renewed"));
    };
    frame.onload = again;
    setTimeout(again, 1e4);
    root.append(frame);
  });

  on("afterRequest", ({ elt, target, xhr }, root) => {
    if (renewed.has(xhr)) return;
    renewed.delete(elt);
    for (const element of [elt, target, ...root.querySelectorAll("[aria-busy]")]) element.ariaBusy = null;
    if (target === byId("check")) return;
    disable(elt, false);
    if (byId("status")?.textContent === root.dataset.loading) say(byId("status"), "");
    if (!xhr.status || (xhr.status >= 400 && !isOurs(xhr)))
      say(document.querySelector("dialog[open] [data-problem]") || byId("alert"), root.dataset.failed);
    if (isLost()) document.getElementById(returnTo?.id || elt.id)?.focus();
  });

  on("afterSettle", (detail, root, { target }) => {
    const dialog = byId("dialog")?.closest("dialog");
    if (target.closest("dialog")) dialog.open || dialog.showModal();
    if (target !== byId("list")) return;
    const lost = isLost() || dialog?.open;
    dialog?.close();
    if (lost) (document.querySelector(neighbour) || byId("list-title")).focus();
    neighbour = "_";
  });

  document.addEventListener("htmx:load", ({ target }) => {
    for (const time of target.querySelectorAll("[data-org-invitations] time"))
      say(
        time,
        new Date(time.dateTime).toLocaleDateString(document.documentElement.lang || [], {
          dateStyle: "medium",
        }),
      );
  });

  document.addEventListener("click", ({ target }) => {
    const { copied } = target.dataset;
    if (!copied) return;
    byId("link").select();
    if (document.execCommand("copy")) say(byId("copied"), copied);
    target.focus();
  });

  document.addEventListener("change", ({ target }) => {
    const { form } = target;
    const all = form?.querySelector("[data-selected]");
    if (!all) return;
    const boxes = form.querySelectorAll("[name=selected]");
    if (target === all) for (const box of boxes) box.checked = all.checked;
    const { length } = new FormData(form).getAll("selected");
    all.checked = length === boxes.length;
    all.indeterminate = length % boxes.length;
    say(byId("selected"), `${all.dataset.selected} ${length}`);
  });
})();
