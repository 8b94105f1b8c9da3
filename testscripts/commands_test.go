//go:build unix

package testscripts

import (
	"fmt"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are the commands of the scripts that testscript does not have; see the
// functions.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"accounted":   cmdAccounted,
	"attributed":  cmdAttributed,
	"await":       cmdAwait,
	"connections": cmdConnections,
	"down":        cmdDown,
	"exits":       cmdExits,
	"finish":      cmdFinish,
	"hostile":     cmdHostile,
	"json":        cmdJSON,
	"last":        cmdLast,
	"line":        cmdLine,
	"mask":        cmdMask,
	"open":        cmdOpen,
	"screen":      cmdScreen,
	"seen":        cmdSeen,
	"signal":      cmdSignal,
	"start":       cmdStart,
	"stopped":     cmdStopped,
	"tls":         cmdTLS,
	"tty":         cmdTTY,
	"up":          cmdUp,
	"valid":       cmdValid,
}

// number parses the only argument.
func number(ts *testscript.TestScript, neg bool, args []string, usage string) (n int64) {
	if neg || len(args) != 1 {
		ts.Fatalf("%s", usage)
	}
	if _, err := fmt.Sscan(args[0], &n); err != nil {
		ts.Fatalf("%s: %v", usage, err)
	}
	return n
}
