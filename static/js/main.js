// Enhancement only: every page works without this file.

// One click, one request: the second one is stopped while the first is on its way.
const waits = new WeakMap();
const PATIENCE_MS = 10000; // a download leaves the page where it is; then the button is needed again

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  const buttons = [...form.querySelectorAll("button, input[type=submit]")];
  // After this turn of the loop, so that the button pressed is still part of what is sent.
  setTimeout(() => buttons.forEach((b) => b.setAttribute("aria-disabled", "true")));
  // What takes longer than a second says so.
  waits.set(form, setTimeout(() => tell(event.submitter ?? buttons[0]), 1000));
  setTimeout(() => release(form), PATIENCE_MS);
});

function tell(button) {
  const words = document.body.dataset.wait;
  if (!button || !words) return;
  const line = document.createElement("span");
  line.className = "working";
  line.setAttribute("role", "status");
  button.after(line);
  line.textContent = words;
}

function release(form) {
  delete form.dataset.sent;
  clearTimeout(waits.get(form));
  form.querySelectorAll(".working").forEach((line) => line.remove());
  form.querySelectorAll("[aria-disabled]").forEach((b) => b.removeAttribute("aria-disabled"));
}

// Back from the payment page: the browser may show the page as it was left.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

// What is wrong comes first, also in a browser that knows autofocus for controls only.
setTimeout(() => {
  if (document.activeElement === document.body) document.querySelector(".wrong-list")?.focus();
}, 300);

// The hold: said at five minutes and at one, and when it is over. Nothing ticks.
for (const box of document.querySelectorAll("[data-hold]")) {
  const line = box.querySelector("[role=status]");
  const left = Number(box.dataset.hold);
  const at = (seconds, words) => {
    const wait = left - seconds;
    if (wait > 0) setTimeout(() => (line.textContent = words), wait * 1000);
  };
  at(300, box.dataset.five);
  at(60, box.dataset.one);
  at(0, box.dataset.over);
}

// The same moments on the visitor's own clock, where that differs from the event's.
const offset = (iso) => {
  const [, sign, h, m] = iso.match(/([+-])(\d\d):(\d\d)$/) ?? [null, "+", 0, 0];
  return (sign === "-" ? 1 : -1) * (Number(h) * 60 + Number(m));
};

for (const line of document.querySelectorAll("[data-local]")) {
  const { start, end, words } = line.dataset;
  const [a, b] = [new Date(start), new Date(end)];
  if (a.getTimezoneOffset() === offset(start) && b.getTimezoneOffset() === offset(end)) continue;
  const week = 6 * 24 * 3600 * 1000;
  const day = b - a > week ? { weekday: "short", day: "numeric", month: "short" } : { weekday: "short" };
  const hour = { hour: "numeric", minute: "2-digit" };
  const show = (moment, parts) => new Intl.DateTimeFormat(document.documentElement.lang, parts).format(moment);
  const oneDay = a.toDateString() === b.toDateString();
  const first = `${show(a, day)} ${show(a, hour)}`;
  const last = `${oneDay ? "" : `${show(b, day)} `}${show(b, { ...hour, timeZoneName: "short" })}`;
  line.textContent = words.replace("{}", `${first} – ${last}`);
}

// A long form is kept while it is written; the button under it does the same without this file.
for (const form of document.querySelectorAll("form[data-autosave]")) {
  const line = form.querySelector("[data-autosave-state]");
  let waiting = 0;
  const keep = async () => {
    if (form.dataset.sent) return;
    const body = new FormData(form);
    body.append("quiet", "1");
    const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
    if (!answer || form.dataset.sent) return;
    line.textContent = answer.ok ? form.dataset.kept : answer.status === 422 ? form.dataset.notKept : "";
  };
  form.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, 800);
  });
}
