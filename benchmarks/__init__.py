"""What the gateway costs: direct against through, side by side in one run on loopback.

The way of one figure: `tools` finds or builds the load generator, the stub upstream and the peers; `stack`
starts `sluicegate up` from a YAML file; `rounds` drives every target in turn, again and again, and takes medians;
`broker` times the broker's own acknowledgement; `pipeline` offers a steady rate and watches the lag;
`report` prints it and writes it as JSON.
"""
