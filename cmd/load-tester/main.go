// Load-tester puts load on an HTTP server, measures what its users would see,
// and judges the numbers. Run it with --help.
package main

import (
	"os"

	"github.com/loadtestkit/load-tester/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
