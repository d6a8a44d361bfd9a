// The link that a terminal printed holds its token behind `#`, which no server is sent: it goes into the form.

const form = document.querySelector("form[data-token-form]");
const token = decodeURIComponent(location.hash.slice(1));
if (form instanceof HTMLFormElement && token) {
  history.replaceState(null, "", location.pathname + location.search);
  const field = form.elements.namedItem("token");
  if (field instanceof HTMLInputElement) {
    field.value = token;
    form.submit();
  }
}
