"""The stack on one machine: a real Kafka broker and the parts of Sluicegate as child processes.

The way of one `sluicegate up`, in order:

`datadir`     the directory is created or taken over, locked, and measured for free space
`jars`        the broker's jars are in the cache and have the locked checksums, or are fetched
`java`        a Java runtime is found
`kafka`       the broker's settings are written, its storage is formatted once
`supervisor`  starts the broker, then the other parts, each after the one before is ready;
              watches and restarts them; stops them in reverse order
`guard`       a second process that ends every part if the supervisor itself is killed
`up`          the composition of all these
"""
