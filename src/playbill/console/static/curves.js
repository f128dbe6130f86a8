// Two small curves in the deployment strip. The numbers they draw stand beside them as text.
(() => {
  "use strict";

  const SAMPLES_MIN = 20;
  const SAMPLES_MAX = 60;
  const NAMES = ["requests", "latency"];
  const history = { requests: [], latency: [] };
  const plots = {};
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function width(name) {
    return Math.max(history[name].length, SAMPLES_MIN);
  }

  function options(place, name) {
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    const hidden = { show: false };
    return {
      width: place.clientWidth,
      height: place.clientHeight,
      padding: [3, 0, 2, 0],
      legend: hidden,
      cursor: hidden,
      axes: [hidden, hidden],
      scales: { x: { time: false, range: () => [0, width(name) - 1] }, y: { range: (_, low, high) => [0, Math.max(high || 0, 1) * 1.05] } },
      series: [{}, { stroke: ink, fill: `${ink}22`, width: 1.5, points: hidden }],
    };
  }

  function columns(name) {
    const values = history[name];
    const start = width(name) - values.length;
    return [values.map((_, index) => start + index), values];
  }

  function draw(name) {
    const place = document.getElementById(`curve-${name}`);
    if (!place || !place.clientWidth || history[name].length < 2) return;
    if (plots[name] && place.contains(plots[name].root)) plots[name].setData(columns(name));
    else {
      place.replaceChildren();
      plots[name] = new uPlot(options(place, name), columns(name), place);
    }
  }

  function redraw() {
    for (const name of NAMES) {
      if (plots[name]) plots[name].destroy();
      delete plots[name];
      draw(name);
    }
  }

  function sample(figures) {
    for (const name of NAMES) {
      const text = figures.dataset[name];
      history[name].push(text === "" ? null : Number(text));
      history[name].splice(0, history[name].length - SAMPLES_MAX);
      draw(name);
    }
  }

  dark.addEventListener("change", redraw);
  window.addEventListener("resize", redraw);
  window.playbillCurves = { sample };
})();
