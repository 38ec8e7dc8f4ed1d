"""The pictures in README.md and docs/: the console with the example programme, as its people see it.

Usage: python -m tests.flows.console.screenshots [NAME …]
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from tests.flows.console.visitors import ARGUMENTS, DESK, PHONE, Visitor, Visitors, chromium
from tests.flows.system import System

PICTURES = Path(__file__).parents[3] / "docs/screenshots"
LARGEST = 300_000
COUNTY = "520425"
# Name: language, size, who, page, what must be on it.
SHOTS = {
    "sign-in": ("en", DESK, None, "/sign-in", "[data-person]"),
    "programme": ("zh", DESK, "monitor", "/programme", ".bars"),
    "counties": ("en", DESK, "monitor", "/counties", ".map a"),
    "feed": ("zh", PHONE, "monitor", "/feed", "[data-position]"),
    "monitor": ("en", DESK, "monitor", "/monitor", "[data-service]"),
    "home": ("zh", DESK, "monitor", "/", ".figures"),
    "officer-projects": ("zh", PHONE, f"officer-{COUNTY}", "/officer", "a.card.way"),
    "officer-project": ("en", PHONE, f"officer-{COUNTY}", "/officer", "a.card.way"),
}


async def take(visitors: Visitors, name: str) -> None:
    lang, size, person, path, there = SHOTS[name]
    visitor = await visitors.come(lang, viewport=size, device_scale_factor=1.5)
    if person is None:
        await visitor.open(path)
    elif path.startswith("/officer"):
        await visitor.officer(person.removeprefix("officer-"))
    else:
        await visitor.enter(person, path)
    await visitor.page.locator(there).first.wait_for()
    if name == "officer-project":
        await visitor.page.locator(there).first.click()
        await visitor.page.locator("h3").first.wait_for()
    await keep(visitor, PICTURES / f"{name}.png")


async def keep(visitor: Visitor, file: Path) -> None:
    await visitor.page.screenshot(path=file)
    # 64 colours are all that such pages have, and a third of the bytes.
    Image.open(file).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size <= LARGEST, f"{file.name} has {file.stat().st_size} bytes"
    sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")


async def main(names: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        system = System(Path(home))
        system.start()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
                visitors = Visitors(browser, system)
                for name in names or SHOTS:
                    await take(visitors, name)
                visitors.check()
        finally:
            system.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
