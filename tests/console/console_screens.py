"""A real browser for the console's tests, and what it must never see."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH_POLICY = """
window.blocked = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.blocked.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


def require_chromium() -> None:
    """Skip on a machine without a browser; CI must have one."""
    if CHROMIUM.exists():
        return
    line = f"{CHROMIUM} is missing: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(line)
    pytest.skip(line)


@dataclass
class Screen:
    """One tab, and a list of everything that went wrong in it."""

    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.server + path)

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))

    def tab_to(self, name: str, key: str = "Tab") -> None:
        """Press Tab until an element has the focus."""
        passed = []
        for _ in range(200):
            if self.focused() == name:
                return
            passed.append(self.focused())
            self.page.keyboard.press(key)
        raise AssertionError(f"{key} never reaches {name!r}; it passes {passed}")

    def scrolls_sideways(self) -> bool:
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def check(self) -> None:
        """Fail on an error in the console, a blocked style or script, a request elsewhere."""
        if self.page.evaluate("typeof window.blocked") == "object":
            self.complaints += self.page.evaluate("window.blocked")
        assert self.complaints == []


@contextmanager
def screen(
    chromium: Browser,
    server: str,
    *,
    width: int = 1280,
    scheme: str = "light",
    scripts: bool = True,
) -> Iterator[Screen]:
    """Open a tab of a fresh browser profile; fail at the end on anything it complained about."""
    context: BrowserContext = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(10_000)
    if scripts:
        context.add_init_script(WATCH_POLICY)
    seen = Screen(context.new_page(), server)

    def on_request(request: Request) -> None:
        if not request.url.startswith(server + "/console/"):
            seen.complaints.append(f"request to {request.url}")

    seen.page.on("request", on_request)
    seen.page.on("pageerror", lambda error: seen.complaints.append(f"error {error}"))
    seen.page.on(
        "console",
        lambda message: (
            seen.complaints.append(f"{message.type}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    try:
        yield seen
        if scripts:
            seen.check()
        assert seen.complaints == []
    finally:
        context.close()


CONTRAST = """
() => {
  const parse = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backdrop = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = parse(getComputedStyle(each).backgroundColor);
      if (found.alpha === 1) return found.rgb;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest(".vh, .thumb, [hidden], datalist, script, style")) continue;
    const style = getComputedStyle(element);
    const inks = [light(parse(style.color).rgb), light(backdrop(element))];
    const ratio = (Math.max(...inks) + 0.05) / (Math.min(...inks) + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const words = `${element.className} ${element.textContent.trim()}`;
    if (ratio < needed) poor.push(`${ratio.toFixed(2)} ${words}`);
  }
  return poor;
}
"""
"""Text of the page whose contrast with what lies behind it is below WCAG AA."""
