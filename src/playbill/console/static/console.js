// What scripts add to pages that work without them: refreshing, announcing, copying.
(() => {
  "use strict";

  const REFRESH_MS = 1000;
  const COPIED_MS = 1500;
  const pause = document.getElementById("pause");
  const trouble = document.getElementById("trouble");
  const health = document.getElementById("health");

  document.documentElement.classList.add("js");

  function say(message) {
    if (trouble.textContent === message) return;
    trouble.textContent = message;
    trouble.hidden = !message;
  }

  function readDeployment() {
    const figures = document.querySelector("#deployment [data-requests]");
    if (figures) window.playbillCurves.sample(figures);
    const sentence = document.querySelector("#deployment .health");
    if (sentence && health.dataset.last !== sentence.textContent) {
      // The first sentence was on the page already; only a change is worth reading aloud.
      if (health.dataset.last !== undefined) health.textContent = sentence.textContent;
      health.dataset.last = sentence.textContent;
    }
  }

  function tick() {
    const paused = pause.getAttribute("aria-pressed") === "true";
    if (!paused && document.visibilityState === "visible") {
      htmx.trigger("#deployment", "playbill:tick");
    }
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    const pressed = pause.getAttribute("aria-pressed") === "true";
    pause.setAttribute("aria-pressed", String(!pressed));
  });

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy);
    const selection = window.getSelection();
    selection.selectAllChildren(text);
    try {
      // The clipboard interface exists on secure origins only; elsewhere the selection is copied.
      if (navigator.clipboard) await navigator.clipboard.writeText(text.textContent);
      else document.execCommand("copy");
    } catch {
      button.textContent = "Press Ctrl+C";
      return;
    }
    button.textContent = "Copied";
    document.getElementById("announce").textContent = "Copied.";
    setTimeout(() => { button.textContent = "Copy"; }, COPIED_MS);
  }

  function offerCopying() {
    for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    event.detail.isError = false;
    if (xhr.status < 400) return;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    if (!page.getElementById("problem")) {
      event.detail.shouldSwap = false;
      if (target.id !== "deployment") say(`The server answered with status ${xhr.status}. Try again.`);
    } else if (target.id !== "main") {
      event.detail.selectOverride = "#problem";
    }
  });

  document.addEventListener("htmx:sendError", () => {
    say("The server does not answer. This page still shows what it last said.");
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    say("");
    offerCopying();
    if (event.detail.target.id === "deployment") readDeployment();
  });

  offerCopying();
  readDeployment();
  setInterval(tick, REFRESH_MS);
})();
