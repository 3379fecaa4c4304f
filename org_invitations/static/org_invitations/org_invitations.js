(() => {
  // It comes with the content of each page, also where htmx puts one in the place of another.
  if (window.orgInvitations) return;
  window.orgInvitations = true;

  const byId = (id) => document.getElementById(`org-invitations-${id}`);
  const asked = new WeakMap(); // of each request: what asks, for what, within what
  const renewed = new WeakSet();
  let returnTo;
  let places = [];

  const rootOf = (elt) => elt.closest?.("[data-org-invitations]");
  // htmx 2 tells of a request by its XMLHttpRequest, htmx 4 by a context, and in events of other names.
  const on = (names, handle) => {
    const listen = (event) => {
      const { task, ctx, xhr, elt = (ctx || task)?.sourceElement, target = ctx?.target } = event.detail;
      const key = xhr || ctx;
      const answer = xhr || ctx?.response;
      const header = (name) => (xhr ? xhr.getResponseHeader(name) : answer?.headers.get(name));
      handle({ key, elt, target, ...asked.get(key), status: answer?.status, header }, event);
    };
    for (const name of names.split(" ")) document.addEventListener(`htmx:${name}`, listen, true);
  };
  const isOurs = ({ root, header }) => root && header("Org-Invitations-Fragment");

  const isLost = () => document.activeElement === document.body;
  const say = (place, text) => place && (place.textContent = text);
  const tell = (place, text, kind) => {
    const message = document.createElement("p");
    message.className = `org-invitations-${kind}`;
    say(message, text);
    place?.replaceChildren(message);
  };
  const closeMenus = (target, isLeft) => {
    for (const menu of document.querySelectorAll(".org-invitations-menu[open]")) {
      const isWithin = menu.contains(target);
      if (isWithin && isLeft) menu.firstElementChild.focus();
      menu.open = isWithin && !isLeft;
    }
  };
  // A link that is folded into a menu stands for the menu.
  const seen = (selector) => {
    const links = [...document.querySelectorAll(selector)];
    const menu = links.map((link) => link.closest("details")).find(Boolean);
    return links.find((link) => link.checkVisibility()) || menu?.firstElementChild;
  };
  const disable = (elt, yes) => elt.querySelector("fieldset")?.toggleAttribute("disabled", yes);

  // What is asked for again and again: nobody looks at a page that is hidden, so it can wait.
  const isRepeated = (elt) => elt.getAttribute("hx-trigger")?.startsWith("every");
  on("beforeRequest before:request", ({ elt }, event) => {
    if (rootOf(elt) && document.hidden && isRepeated(elt)) event.preventDefault();
  });

  on("beforeSend before:request", ({ key, elt, target = elt }, event) => {
    const root = rootOf(elt);
    if (!root || event.defaultPrevented) return;
    asked.set(key, { elt, target, root });
    returnTo = document.activeElement;
    const row = elt.closest("tr");
    const next = row?.nextElementSibling || row?.previousElementSibling;
    const link = `[href*="/${elt.href?.split("/").at(-2)}/"]`;
    if (row) places = [".org-invitations-new", `#${next?.id}`].map((place) => `${place} ${link}`);
    elt.ariaBusy = target.ariaBusy = true;
    disable(elt, true);
    if (elt.hidden || !/list|form/.test(target.id)) return;
    say(byId("alert"), "");
    tell(byId("status"), root.dataset.loading, "visually-hidden");
  });

  // Whether the session is renewed first, and the same asked for once more.
  const renews = ({ key, elt, root, header }) => {
    const url = header("Org-Invitations-Renew");
    if (!url || renewed.has(elt)) return false;
    renewed.add(elt).add(key);
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
    return true;
  };

  // What the app answers is shown, whatever its status, and no error page of another's.
  on("beforeOnLoad", (request, event) => isOurs(request) && event.stopPropagation());
  on("beforeSwap", (request, { detail }) => {
    if (!isOurs(request)) return;
    detail.isError = false;
    detail.shouldSwap = !renews(request);
  });
  on("before:response", (request, event) => {
    if (!isOurs(request)) return;
    const { response } = event.detail.ctx;
    response.raw = { url: response.raw.url, status: (response.status = 200) };
    if (renews(request)) event.preventDefault();
  });
  on("before:swap", ({ root, status }, event) => root && status >= 400 && event.preventDefault());

  on("afterRequest finally:request", (request) => {
    const { key, elt, target, root, status } = request;
    if (!root || renewed.has(key)) return;
    renewed.delete(elt);
    for (const element of [elt, target, ...root.querySelectorAll("[aria-busy]")]) element.ariaBusy = null;
    if (target === byId("check")) return;
    disable(elt, false);
    if (byId("status")?.textContent === root.dataset.loading) say(byId("status"), "");
    const place = document.querySelector("dialog[open] [data-problem]") || byId("alert");
    const { failed, [`failed${status}`]: known, failed500 } = root.dataset;
    const hasFailed = !status || (status >= 400 && !isOurs(request));
    const isSaid = isRepeated(elt) && place?.textContent === failed;
    if (hasFailed && !isSaid) tell(place, status ? known || failed500 : failed, "summary");
    if (isSaid && !hasFailed) say(place, "");
    if (isLost()) document.getElementById(returnTo?.id || elt.id)?.focus();
  });

  on("afterSettle after:settle", ({ elt }, { target }) => {
    if (!rootOf(target)) return;
    const dialog = byId("dialog")?.closest("dialog");
    if (target.closest("dialog") && !dialog.open && !target.querySelector("script")) dialog.showModal();
    if (target !== byId("list")) return;
    const lost = isLost() || dialog?.open;
    dialog?.close();
    if (elt.closest(".org-invitations-pagination")) byId("list-title").focus();
    else if (lost) (places.map(seen).find(Boolean) || byId("list-title")).focus();
    places = [];
  });

  const tellDates = ({ target }) => {
    const year = new Date().getFullYear();
    for (const time of target.querySelectorAll("[data-org-invitations] time")) {
      const date = new Date(time.dateTime);
      const style = date.getFullYear() === year ? { month: "short", day: "numeric" } : { dateStyle: "medium" };
      say(time, date.toLocaleDateString(document.documentElement.lang || [], style));
    }
  };
  tellDates({ target: document }); // htmx may have brought it before this script
  on("load after:process", (_, event) => tellDates(event));

  document.addEventListener("click", (event) => {
    const { target } = event;
    const press = target.closest(".org-invitations-invite > summary, [data-invite]");
    const region = press && document.querySelector(".org-invitations-invite");
    if (region) {
      event.preventDefault();
      const { openUrl, closedUrl } = region.dataset;
      region.open = !region.open;
      region.querySelector("link")?.removeAttribute("disabled");
      if (openUrl) history.replaceState(history.state, "", (region.open ? openUrl : closedUrl) + location.search);
      if (region.open) region.querySelector("textarea")?.focus();
    }
    if (target.closest("[data-dismiss]")) {
      for (const place of [byId("alert"), byId("status")]) place.replaceChildren();
      (byId("list-title") || byId("outcome-title"))?.focus();
    }
    closeMenus(target, target.closest("a"));
  });

  document.addEventListener("keydown", ({ key, target, ctrlKey, metaKey }) => {
    if (key === "Enter" && (ctrlKey || metaKey) && target.closest("#org-invitations-form"))
      target.form.requestSubmit(byId("submit"));
    if (key === "Escape" && !target.closest("dialog")) closeMenus(target, true);
  });

  // What is changed is no mistake any more.
  document.addEventListener("input", ({ target }) => {
    const field = target.closest(".org-invitations-invalid");
    if (!field) return;
    field.classList.remove("org-invitations-invalid");
    document.getElementById(`${target.id}_error`)?.remove();
  });

  document.addEventListener("change", async ({ target }) => {
    const { about } = target.selectedOptions?.[0]?.dataset || {};
    if (about) say(document.getElementById(`${target.id}_about`), about);
    const { select } = target.form?.dataset || {};
    if (select) (await import(new URL(select, location))).choose(target);
  });
})();
