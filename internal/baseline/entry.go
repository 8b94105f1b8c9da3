// Package baseline keeps the results of earlier runs in a file that has one line of
// JSON per run and only grows. It decides which runs can be compared: those of the same
// test on the same kind of machine.
package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Schema is the version of the records that this package writes and reads.
const Schema = 1

// An Entry is one run. Name distinguishes tests that share a file.
type Entry struct {
	Schema      int                `json:"schema"`
	Name        string             `json:"name"` // of the test, not empty
	At          time.Time          `json:"at"`   // when the run began
	Revision    string             `json:"revision,omitempty"`
	Dirty       bool               `json:"dirty,omitempty"`  // see [Revision]
	Quantiles   map[string]float64 `json:"response_time_ns"` // by name, such as p99.9; those with enough requests; not empty
	N           int64              `json:"n"`
	NEffective  float64            `json:"n_effective"`
	Throughput  float64            `json:"throughput_per_s"`
	Calibrator  Calibrator         `json:"calibrator"`
	Claims      Claims             `json:"claims,omitzero"`   // read after the load
	Expects     string             `json:"expects,omitempty"` // what a success was; "" for the default
	Fingerprint Fingerprint        `json:"fingerprint"`
	Noise       map[string]float64 `json:"noise,omitempty"`     // ratios by sensor, such as steal; nil if unknown
	Histogram   string             `json:"histogram,omitempty"` // response times in ns, HdrHistogram V2 compressed, base64
}

// A Calibrator holds the times of work that never changes, measured beside the run; 0
// if unknown.
type Calibrator struct {
	NullHandler float64 `json:"null_handler_p50_ns,omitempty"` // response time of a handler that does nothing
	Reference   float64 `json:"reference_ns,omitempty"`        // see [Reference]
}

// Claims are what hardly changes between runs of the same code, read from requests sent
// one at a time once the load is over; nil where it is not known.
type Claims struct {
	Quick  *Calibrated `json:"quick,omitempty"` // an undisturbed request, alone
	Work   *Calibrated `json:"work,omitempty"`  // processor time per request
	Allocs *float64    `json:"allocs_per_request,omitempty"`
	Bytes  *float64    `json:"bytes_per_request,omitempty"`
}

// A Calibrated is a time with what calibrators took at the same moments, read in the same
// way: a handler that does nothing, reached as the target is, and work that never
// changes; 0 where unknown.
type Calibrated struct {
	Time        float64 `json:"ns"`
	NullHandler float64 `json:"null_handler_ns,omitempty"`
	Reference   float64 `json:"reference_ns,omitempty"`
	Arithmetic  float64 `json:"arithmetic_ns,omitempty"` // see [Arithmetic]
}

// run returns r for a verdict; false if it is not known.
func (r *Calibrated) run() (verdict.BaselineRun, bool) {
	if r == nil {
		return verdict.BaselineRun{}, false
	}
	return verdict.BaselineRun{Value: r.Time, Calibrators: []float64{r.Arithmetic, r.NullHandler, r.Reference}}, true
}

// check returns an error if a value of c is impossible.
func (c *Claims) check() error {
	for name, r := range map[string]*Calibrated{verdict.Quick: c.Quick, verdict.Work: c.Work} {
		if r == nil {
			continue
		}
		if all := []float64{r.Time, r.NullHandler, r.Reference, r.Arithmetic}; !(r.Time > 0 && slices.Min(all) >= 0 && slices.Max(all) < math.MaxInt64) {
			return fmt.Errorf("has %s of %v ns, want more than 0 and less than 2^63", name, all)
		}
	}
	for name, n := range map[string]*float64{"allocs_per_request": c.Allocs, "bytes_per_request": c.Bytes} {
		if n != nil && !(*n >= 0 && *n < math.MaxInt64) {
			return fmt.Errorf("has %s of %v, want at least 0 and less than 2^63", name, *n)
		}
	}
	return nil
}

// check returns an error if r is not a valid record.
func (r *Entry) check() error {
	switch {
	case r.Schema == 0 || r.Name == "" || r.At.IsZero() || len(r.Quantiles) == 0:
		return errors.New("is not a record of a run: want schema, name, at and response_time_ns")
	case r.Schema != Schema:
		return fmt.Errorf("is a record of version %d, this program knows %d: use a newer load-tester", r.Schema, Schema)
	}
	for name, ns := range r.Quantiles {
		if _, err := unit.ParseQuantile(name); err != nil {
			return fmt.Errorf("has a time with a wrong name: %w", err)
		}
		if !(ns > 0 && ns < math.MaxInt64) {
			return fmt.Errorf("has %s of %v ns, want more than 0 and less than 2^63", name, ns)
		}
	}
	for name, v := range map[string]float64{
		"n": float64(r.N), "n_effective": r.NEffective, "throughput_per_s": r.Throughput,
		"null_handler_p50_ns": r.Calibrator.NullHandler, "reference_ns": r.Calibrator.Reference,
	} {
		if !(v >= 0 && v < math.MaxInt64) {
			return fmt.Errorf("has %s of %v, want at least 0 and less than 2^63", name, v)
		}
	}
	return r.Claims.check()
}

// Earlier returns the runs, oldest first, with which a run of this name on this
// kind of machine, with this idea of a success, is compared in one respect: a claim
// such as work, or a quantile such as p99. others is the number of other runs of this
// name, and different describes how the latest of those differs.
func Earlier(records []Entry, name, expects string, here Fingerprint, of string) (runs []verdict.BaselineRun, others int, different []string) {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return a.At.Compare(b.At) })
	for _, r := range sorted {
		if r.Name != name {
			continue
		}
		d := here.Differences(r.Fingerprint)
		if r.Expects != expects {
			d = append(d, "success was "+cmp.Or(r.Expects, "the default"))
		}
		b, ok := r.Run(of)
		if !ok && len(d) == 0 {
			d = []string{of + " was not measured"}
		}
		if len(d) > 0 {
			others, different = others+1, d
			continue
		}
		runs = append(runs, b)
	}
	return runs, others, different
}

// Run returns what r measured of a claim or a quantile, false if it did not.
func (r *Entry) Run(of string) (verdict.BaselineRun, bool) {
	count := func(n *float64) (verdict.BaselineRun, bool) {
		if n == nil {
			return verdict.BaselineRun{}, false
		}
		return verdict.BaselineRun{Value: *n}, true
	}
	switch of {
	case verdict.Quick:
		return r.Claims.Quick.run()
	case verdict.Work:
		return r.Claims.Work.run()
	case verdict.Allocs:
		return count(r.Claims.Allocs)
	case verdict.Bytes:
		return count(r.Claims.Bytes)
	}
	ns, ok := r.Quantiles[of]
	return verdict.BaselineRun{Value: ns, Calibrators: []float64{r.Calibrator.NullHandler, r.Calibrator.Reference}}, ok
}
