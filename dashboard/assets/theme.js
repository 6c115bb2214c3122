// Before anything is drawn: the address has the last word, then what was chosen before.
{
  const asked = new URLSearchParams(location.search).get("theme")
  const theme = asked ?? localStorage.getItem("theme")
  document.documentElement.dataset.theme = theme == "light" ? "light" : "dark"
}
