package loadtestkit

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// fieldNames are the engine's names of options as users write them, where the two
// differ. A name with a space is of an option of one kind of load.
var fieldNames = map[string]string{
	"URL":          "Target",
	"Path":         "Request.Path",
	"Method":       "Request.Method",
	"Header":       "Request.Header",
	"ExpectStatus": "Request.ExpectStatus",
	"ExpectBody":   "Request.ExpectBody",
	"Address":      "Server.Address",
	"Requests":     "Count",
	"Kept":         "Limits.Kept",
	"Tolerances":   "Tolerance",
	"CPU":          "Tolerance.CPU",
	"Allocs":       "Tolerance.Allocs",
	"Bytes":        "Tolerance.Bytes",

	"Closed Concurrency":      "Closed",
	"Open Concurrency":        "Open.Concurrency",
	"Open ConnectionsAhead":   "Open.ConnectionsAhead",
	"Open Rate":               "Open.Rate",
	"Open Seed":               "Open.Seed",
	"Staged Concurrency":      "Staged.Concurrency",
	"Staged ConnectionsAhead": "Staged.ConnectionsAhead",
	"Staged Seed":             "Staged.Seed",
	"Staged Stages":           "Staged.Stages",
	"search Rate":             "Start",
}

func fault(field, format string, args ...any) error {
	return &engine.Fault{Field: field, Want: fmt.Sprintf(format, args...)}
}

// faults are all that is wrong with some options.
type faults []error

// add adds a fault if bad.
func (f *faults) add(bad bool, field, format string, args ...any) {
	if bad {
		*f = append(*f, fault(field, format, args...))
	}
}

// join adds the faults that err joins.
func (f *faults) join(err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			f.join(err)
		}
	} else if err != nil {
		*f = append(*f, err)
	}
}

// err is nil if nothing is wrong, else one line that names all that is, given the
// kind of load.
func (f faults) err(kind string) error {
	if len(f) == 0 {
		return nil
	}
	lines := make([]string, len(f))
	for i, err := range f {
		lines[i] = unit.Clause(err.Error())
		if fault, ok := err.(*engine.Fault); ok {
			field := cmp.Or(fieldNames[kind+" "+fault.Field], fieldNames[fault.Field], fault.Field)
			lines[i] = field + ": " + unit.Clause(fault.Want)
		}
	}
	return errors.New("options: " + strings.Join(lines, "; "))
}
