"""The Java client's whole answer, read as docs/clients.md reads it."""

import asyncio
import re
import shutil
import subprocess

import pytest
from clients.client_runtimes import CLIENTS, NO_PROXY, run

pytestmark = pytest.mark.long

NUMBERS = {"slots": 5, "share": 0.5, "large": 10**18 - 1, "huge": 1e21, "negative": -3}
EXAMPLE = """
package my.plugin;

import java.io.File;
import java.util.Map;

public final class Example {
    public static void main(String[] words) {
        KeyPort.Verdict verdict = new KeyPort(words[0], "kp_live_x").memory(new File(words[1])).check("KEY");
        %s
        System.out.println(slots);
        for (Object value : custom.values()) System.out.println(value.getClass().getSimpleName() + " " + value);
    }
}
"""


@pytest.mark.skipif(not shutil.which("javac"), reason="javac is not installed")
@pytest.mark.parametrize("chosen", ["java"], indirect=True)
async def test_the_example_of_the_docs_compiles_in_a_package_and_whole_numbers_come_whole(stage, tmp_path):
    page = (CLIENTS.parents[2] / "docs/clients.md").read_text("utf-8")
    example = re.search(r"```java\n(Map<.*?)```", page, re.DOTALL)[1]
    tmp_path.joinpath("Example.java").write_text(EXAMPLE % example)
    pasted = "package my.plugin;\n\n" + (CLIENTS / "KeyPort.java").read_text("utf-8")
    tmp_path.joinpath("KeyPort.java").write_text(pasted)
    run("javac", "--release", "8", "-Xlint:-options", "-d", tmp_path, "Example.java", "KeyPort.java", cwd=tmp_path)
    stage.proof = "none"
    stage.answers(custom=NUMBERS)
    words = ["java", "-cp", str(tmp_path), "my.plugin.Example", stage.url, str(tmp_path / "memory")]
    process = await asyncio.create_subprocess_exec(*words, env=NO_PROXY, stdout=subprocess.PIPE)
    told = (await process.communicate())[0].decode().split("\n")
    assert told == ["5", "Long 5", "Double 0.5", f"Long {10**18 - 1}", "Double 1.0E21", "Long -3", ""]
