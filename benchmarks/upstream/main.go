// Command sluicegate-bench is both ends of a measurement: a stub MCP server that answers as fast as the machine
// lets it (`stub`), and the clients that call it, directly or through something (`load`). No dependencies.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: sluicegate-bench stub|load [options]")
	}
	var err error
	switch os.Args[1] {
	case "stub":
		err = runStub(os.Args[2:])
	case "load":
		err = runLoad(os.Args[2:])
	default:
		err = fmt.Errorf("unknown part %q: stub or load", os.Args[1])
	}
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, "sluicegate-bench: "+text)
	os.Exit(1)
}
