"""The person at this terminal: no variable of the environment can make it another."""

import grp
import os
import pwd
import socket

from console.directory import Person


def terminal_person() -> Person:
    """`|USER@HOST`, with the system's groups of that user."""
    return Person("", terminal_name(), tuple(terminal_groups()))


def terminal_name() -> str:
    """`USER@HOST`: the system's name of the user and this machine's."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def terminal_groups() -> list[str]:
    """The user's groups; a group without a name counts for nothing."""
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:
        return []
    names = []
    for number in os.getgrouplist(user.pw_name, user.pw_gid):
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return sorted(set(names))
