"""What README and docs/ledger.md have to be pasted does what they say, as it stands."""

import re
import subprocess
from pathlib import Path

from tests.flows.system import SERVICES, System

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^```bash\n(.*?)^```\n^```\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_END = "-- end of step --"


def steps(readme: str) -> list[tuple[str, str]]:
    """What is pasted, and what is printed then."""
    return STEP.findall(readme)


def shape(printed: str) -> list[str]:
    """Without what differs from run to run: ids, dates, numbers, and the order of lines (services work at once)."""
    without_ids = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", printed)
    return sorted(re.sub(r"\d+", "0", without_ids).split("\n"))


def pasted(system: System, script: str) -> str:
    """What a script prints that speaks to the ports of `make run`."""
    for no, service in enumerate(SERVICES, 1):
        script = script.replace(f"http://127.0.0.1:800{no}", system.url(service))
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=dict(system.environment()), capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    return done.stdout


def test_each_step_of_the_readme_prints_what_the_readme_says(system: System) -> None:
    found = steps((ROOT / "README.md").read_text("utf-8"))
    assert len(found) == 7
    script = "".join(f"{pasted}echo; echo '{_END}'\n" for pasted, _ in found)
    printed = pasted(system, script).split(_END)[:-1]
    assert [shape(one.strip()) for one in printed] == [shape(one.strip()) for _, one in found]


async def test_the_ledger_is_verified_by_hand_with_what_its_document_says(system: System) -> None:
    monitor = system.person("monitor")
    await system.eventually(
        monitor, "notify", "/events?type=jiedui.ledger.sealed", lambda page: page["items"], "there is a seal", 120
    )
    (script,) = re.findall(
        r"^```bash\n(.*?)^```\n", (ROOT / "docs/ledger.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    digest, computed, archived = (line.split()[0] for line in pasted(system, script).splitlines())
    first = await monitor.get("funding", "/entries/000000000001")
    assert digest == first["digest"]
    assert computed == archived
