"""The gateway before a real Kubernetes control plane: `python -m tests.kubernetes`.

`build` makes etcd, kube-apiserver, the controller manager and kwok out of locked Go modules, once; `cluster`
starts them; `gateway` starts `sluicegate up` with a connection to it. Then each part (`parts`) does the same work
directly and through, and compares: what clients see, what the API server's own audit log says, what the trail holds.
"""
