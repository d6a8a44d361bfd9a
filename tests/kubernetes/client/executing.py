"""exec by the client's own WebSocket: output, errors, input, exit code."""

from common import NAMESPACE, core, say
from kubernetes.stream import stream

call = core.connect_get_namespaced_pod_exec
how = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
said = stream(call, "shell", NAMESPACE, command=["sh", "-c", "echo out; echo err >&2"], **how)
say("said", sorted(said.split()))
open_one = stream(call, "shell", NAMESPACE, command=["sh"], **{**how, "stdin": True}, _preload_content=False)
open_one.write_stdin("echo first\n")
say("line", open_one.readline_stdout(timeout=10))
open_one.write_stdin("echo second; exit 5\n")
say("line", open_one.readline_stdout(timeout=10))
open_one.run_forever(timeout=10)
say("code", open_one.returncode)
