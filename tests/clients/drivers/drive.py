"""Lets a test talk to the Python client: `new` and `check` lines in, one line of verdict out, all with tabs."""

import importlib.util
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("keyport_client", sys.argv[1])
module = sys.modules["keyport_client"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
now, check = 0, None
for line in sys.stdin:
    word, *said = line.removesuffix("\n").split("\t")
    if word == "new":
        url, api_key, grace, memory, timeout, version, device, secrets, keys = said
        check = module.LicenseCheck(
            url,
            api_key,
            public_keys={key: Path(path).read_text() for key, path in (one.split("=") for one in keys.split())},
            secrets=[secret.replace("EMPTY", "") for secret in secrets.split()],
            version=version or None,
            device_id=device or None,
            memory=memory,
            grace_hours=int(grace),
            timeout=int(timeout) / 1000,
            clock=lambda: now,  # noqa: B023 - the time of the line that is read last is meant
        )
        continue
    now = int(said[0])
    seen = check.check(said[1])
    told = (seen.valid, seen.status, seen.from_memory, seen.support_code, seen.retry_after, seen.message)
    told += (seen.for_seller, "status" in seen.answer)
    sys.stdout.write("\t".join(str(one).lower() if isinstance(one, bool) else str(one) for one in told) + "\n")
    sys.stdout.flush()
