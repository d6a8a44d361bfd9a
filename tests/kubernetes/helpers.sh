# What the operations have beside kubectl. Each runs in a folder of its own, with the manifests in it.
until_seen() { # FILE TEXT: waits until the text stands in the file
  for _ in $(seq 150); do grep -q -- "$2" "$1" 2>/dev/null && return 0; sleep 0.1; done
  echo "never saw $2 in:"; cat "$1"; return 1
}
ended() { # PID: ends a process, and waits for it
  kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true
}
