package engine

import (
	"math"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// checkClaims adds what is wrong with what o asks of its claims.
func (f *faults) checkClaims(o *CompareOptions) {
	f.add(o.CPU != 0 && !(o.CPU >= 1), "CPU", "%v, want a ratio of at least 1", o.CPU)
	f.add(o.Margin != 0 && !(o.Margin >= 1) || math.IsInf(o.Margin, 0), "Margin", "%v is out of range, want at least 1, such as 1.2", o.Margin)
	const elsewhere = "is judged where both targets are Go code in this process, and one is a URL; leave it out"
	for _, counted := range []struct {
		field, name string
		most        float64
	}{{"Allocs", verdict.Allocs, o.Allocs}, {"Bytes", verdict.Bytes, o.Bytes}} {
		f.add(!(counted.most >= 0), counted.field, "%v is out of range, want at least 0", counted.most)
		f.add(counted.most > 0 && (o.Base.URL != "" || o.Head.URL != ""), counted.field, elsewhere)
		f.add(counted.most == 0 && slices.Contains(o.Claims, counted.name), "Claims", "%s is judged with a tolerance of its own, want both or neither", counted.name)
	}
	known := strings.Join(verdict.ClaimNames, ", ")
	passing := len(o.Claims) == 0
	for _, name := range o.Claims {
		f.add(!slices.Contains(verdict.ClaimNames, name), "Claims", "%q is unknown, want some of %s", name, known)
		passing = passing || name != verdict.Load && name != verdict.Locks
	}
	f.add(!passing, "Claims", "%s can fail and not pass, want one that can beside it", strings.Join(o.Claims, " and "))
}

// examined names the claims that a round is made for.
func (c *contest) examined() string {
	names := []string{verdict.Work, verdict.Quick, verdict.Alone, verdict.Burst, verdict.Tail}
	return strings.Join(slices.DeleteFunc(names, func(name string) bool { return !c.inquiry.Open(name) }), " ")
}
