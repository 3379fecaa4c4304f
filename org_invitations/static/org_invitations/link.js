// Copies the links of invitations. It comes with them, and runs each time they are shown.
(() => {
  const field = document.getElementById("org-invitations-link");
  const button = document.querySelector("[data-copied]");
  const dialog = field?.closest("dialog");
  if (!field) return;

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      // Without https there is no such clipboard; and what cannot be seen cannot be selected.
      if (dialog && !dialog.open) return false;
      field.select();
      return document.execCommand("copy");
    }
  };

  button.addEventListener("click", async () => {
    const copied = document.getElementById("org-invitations-copied");
    if (await copy()) copied.textContent = button.dataset.copied;
    button.focus();
  });

  // From the list it takes one press: the link is seen only where it could not be copied.
  if (!dialog || dialog.open) return;
  copy().then((isCopied) => {
    if (!isCopied) return dialog.showModal();
    const message = document.createElement("p");
    message.className = "org-invitations-message";
    message.textContent = field.dataset.done;
    document.getElementById("org-invitations-status").replaceChildren(message);
    document.getElementById("org-invitations-dialog").replaceChildren();
  });
})();
