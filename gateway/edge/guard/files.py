"""How many files and connections this process may have open."""

import resource

RESERVED = 2_048  # for upstreams, Kafka, programs and files


def allow_open_files() -> int:
    """Raises the soft limit to the hard one, as any process may, and gives it back. Call it before serving."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return open_files()


def open_files() -> int:
    """The limit in force; a very large number where there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 30


def connections_possible(wanted: int) -> int:
    """`wanted` connections of clients, or what the limit on open files leaves for them."""
    return max(1, min(wanted, open_files() - min(RESERVED, open_files() // 2)))
