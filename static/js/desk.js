// The working pages: keys for their lists, and a person looked at without leaving the list.
// Enhancement only: every link leads to a page of its own.

const OFF = "regsys.keys-off"; // remembered in this browser only
const lists = [...document.querySelectorAll("[data-rows]")];
const view = document.querySelector("[data-view]");
const help = document.querySelector("#keys");
const wide = matchMedia("(min-width: 72rem)");

for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const tabs = tab.closest(".tabs");
  tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
}

// ---- rows

const rows = () => lists.flatMap((l) => [...l.querySelectorAll(":scope > tbody > tr, :scope > li")]).filter(linkOf);
const linkOf = (row) => row.querySelector("th a[href], h3 a[href], summary, a[href]");
const openRow = () => document.querySelector("tr.is-open");

function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const from = at < 0 ? all.indexOf(openRow()) : at;
  const next = all[from < 0 ? 0 : from + by];
  if (!next) return;
  const link = linkOf(next);
  link.focus();
  next.scrollIntoView({ block: "nearest" });
  if (openRow() && wide.matches && link.dataset.look !== undefined) look(link, false);
}

// ---- keys: each one a single letter, so they can be switched off

const isOff = () => localStorage.getItem(OFF) === "1";
const isTyping = (e) => e.target.closest("input, select, textarea, [contenteditable]");

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": () => document.querySelector("main input[type=search]")?.focus(),
  "?": () => help?.showModal(),
  Escape: () => view?.querySelector("#look [data-close]")?.click(),
};

document.addEventListener("keydown", (event) => {
  const run = KEYS[event.key];
  if (!run || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  if (document.querySelector("dialog[open]") || (isOff() && event.key !== "Escape")) return;
  if (event.key !== "Escape") event.preventDefault();
  run();
});

for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = !lists.length;
  button.addEventListener("click", () => help.showModal());
}

const used = help?.querySelector("input[type=checkbox]");
if (used) {
  used.checked = !isOff();
  used.addEventListener("change", () => localStorage.setItem(OFF, used.checked ? "0" : "1"));
}

// ---- one person beside the list, or over it where there is no room

async function look(link, moves) {
  const row = link.closest("tr");
  row.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("#look");
    if (!answer.ok || !found) throw new Error("no such view");
    show(document.adoptNode(found), link, moves);
  } catch {
    location.assign(link.href); // signed out meanwhile, or off the network: the browser says so better
  } finally {
    row.removeAttribute("aria-busy");
  }
}

function show(panel, link, moves) {
  mark(link.closest("tr"));
  if (!wide.matches) return over(panel);
  view.querySelector("#look")?.remove();
  view.append(panel);
  view.classList.add("is-split");
  history.replaceState(null, "", link.href.split("#")[0]);
  if (moves) focusOn(panel);
}

function over(panel) {
  const sheet = document.createElement("dialog");
  sheet.className = "drawer";
  sheet.setAttribute("aria-labelledby", "glance-h");
  view.querySelector("#look")?.remove();
  view.classList.remove("is-split");
  sheet.append(panel);
  sheet.addEventListener("close", () => {
    sheet.remove();
    mark(null);
  });
  document.body.append(sheet);
  sheet.showModal();
}

function focusOn(panel) {
  const heading = panel.querySelector("h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function mark(row) {
  openRow()?.classList.remove("is-open");
  row?.classList.add("is-open");
}

function close(link) {
  const sheet = link.closest("dialog");
  if (sheet) return sheet.close();
  const row = openRow();
  view.querySelector("#look").remove();
  view.classList.remove("is-split");
  history.replaceState(null, "", link.href);
  mark(null);
  if (row) linkOf(row).focus();
}

if (view) {
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("a[data-look], #look a[data-close]");
    if (!link) return;
    event.preventDefault();
    if (link.dataset.look !== undefined) look(link, true);
    else close(link);
  });
}

// ---- files that take a moment to be made

for (const box of document.querySelectorAll("[data-making]")) {
  const line = box.querySelector("[role=status]");
  const said = line.textContent;
  box.addEventListener("click", (event) => {
    if (!event.target.closest("a[href]")) return;
    line.textContent = box.dataset.making;
    setTimeout(() => (line.textContent = said), 6000); // a file leaves the page where it is
  });
}
