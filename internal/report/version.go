package report

import (
	"runtime/debug"
	"sync"
)

const modulePath = "github.com/loadtestkit/load-tester"

// Version is the version of this module in the running program, "devel" where
// the build does not say.
var Version = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == modulePath && m.Version != "" && m.Version != "(devel)" {
				return m.Version
			}
		}
	}
	return "devel"
})
