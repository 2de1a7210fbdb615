// Reads what Postern publishes and writes what Postern has to read, with the transparency log of
// the Go checksum database: no line of it is ours.
package main

import (
	"fmt"
	"os"
)

const usage = "usage: interop read <directory> | interop write <directory> <size> <size>..."

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(64)
	}
	var err error
	switch directory := os.Args[2]; os.Args[1] {
	case "read":
		err = read(directory)
	case "write":
		err = write(directory, os.Args[3:])
	default:
		err = fmt.Errorf("%s", usage)
	}
	if err != nil {
		fmt.Println("FAILED go:", err)
		os.Exit(1)
	}
}

func passed(format string, values ...any) {
	fmt.Printf("ok go: "+format+"\n", values...)
}
