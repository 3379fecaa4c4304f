// Joins by Clerk's Frontend API, so that Clerk itself records the invitation as accepted. Whatever
// comes of it, the form is sent as well: the server finds out how it stands, and joins where this
// could not. Without this script the form alone does it.
(() => {
  const PATIENCE = 8000; // milliseconds

  const cookie = (name) =>
    document.cookie
      .split("; ")
      .find((pair) => pair.startsWith(`${name}=`))
      ?.slice(name.length + 1);

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-accept-url]");
    if (!form) return;
    event.preventDefault();
    form.querySelector("button").disabled = true;
    try {
      // With a proxy of the site's own for Clerk this may be a path.
      const url = new URL(form.dataset.acceptUrl, document.baseURI);
      // A development instance knows the browser by this, for want of cookies of its own.
      const browser = cookie("__clerk_db_jwt");
      if (browser) url.searchParams.set("__clerk_db_jwt", browser);
      await fetch(url, {
        method: "POST",
        credentials: "include",
        body: new URLSearchParams(),
        signal: AbortSignal.timeout(PATIENCE),
      });
    } catch {
      // Not reached, or not allowed to by the site's Content-Security-Policy.
    } finally {
      form.submit();
    }
  });
})();
