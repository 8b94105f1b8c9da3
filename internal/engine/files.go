package engine

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// usesFiles reports whether connections need file descriptors of this process.
func (p *armPlan) usesFiles() bool { return p.target.Func == nil && !p.inMemory() }

// ends returns how many file descriptors this process needs for each permit: both
// ends of its connection may be here, and the other target of a comparison needs as
// many.
func (p *armPlan) ends() int {
	n := 1
	if p.target.Handler != nil {
		n *= 2
	}
	if p.role != "" {
		n *= 2
	}
	return n
}

// fit returns the usual concurrency, or as much of it as this process has file
// descriptors for.
func (p *armPlan) fit() int {
	if !p.usesFiles() {
		return p.usual
	}
	return wire.FitFiles(p.usual, p.ends())
}

// fewFiles says that the concurrency was lower than usual where that mattered: all of
// it was in flight at once. Otherwise it returns "".
func (p *armPlan) fewFiles(r *record.Record) string {
	if p.Concurrency >= p.usual || r.PeakInFlight < p.Concurrency {
		return ""
	}
	return fmt.Sprintf("at most %d requests could be in flight instead of %d, because this process may open too few files (ulimit -n)", p.Concurrency, p.usual)
}
