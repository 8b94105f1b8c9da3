package record

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// Version is the version of a record's JSON form. It changes when a field changes
// its meaning or is removed, not when one is added.
const Version = 1

// An encoded record names its kinds, so that their order may change.
type encoded struct {
	Version int `json:"version"`
	*plain
	Kinds   map[string]int64     `json:"kinds"`
	Samples map[string][]Failure `json:"samples"`
}

// A plain record has no methods, so that json encodes its fields.
type plain Record

// MarshalJSON returns everything that r holds, with its histograms packed.
func (r *Record) MarshalJSON() ([]byte, error) {
	p := plain(*r)
	if !r.Open {
		p.Service = nil // UnmarshalJSON makes it Response again
	}
	e := encoded{Version: Version, plain: &p, Kinds: map[string]int64{}, Samples: map[string][]Failure{}}
	for kind := range Kinds {
		if n := r.Kinds[kind]; n > 0 {
			e.Kinds[kind.key()] = n
		}
		if kept := r.Samples[kind]; len(kept) > 0 {
			e.Samples[kind.key()] = kept
		}
	}
	return json.Marshal(e)
}

// UnmarshalJSON sets r to the record that MarshalJSON encoded, which can be merged
// like the original. It returns an error for a record of another version and for one
// whose counts do not add up.
func (r *Record) UnmarshalJSON(b []byte) error {
	read := New(true, nil)
	e := encoded{plain: (*plain)(read)}
	if err := json.Unmarshal(b, &e); err != nil {
		return fmt.Errorf("reading a record: %w", err)
	}
	if e.Version != Version {
		return fmt.Errorf("reading a record: version %d, want %d", e.Version, Version)
	}
	for name, n := range e.Kinds {
		kind, ok := kindOf(name)
		if !ok {
			return fmt.Errorf("reading a record: unknown kind %q", name)
		}
		read.Kinds[kind], read.Samples[kind] = n, e.Samples[name]
	}
	if !read.Open {
		read.Service = read.Response
	}
	err := read.checkParts()
	if err == nil {
		err = errors.Join(read.Check(), read.checkTimes())
	}
	if err != nil {
		return fmt.Errorf("reading a record: %w", err)
	}
	*r = *read
	return nil
}

// checkParts returns an error if r lacks something that Merge needs.
func (r *Record) checkParts() error {
	for _, h := range []*hist.Histogram{r.Response, r.Service, r.Failures, r.Lateness, r.Waited, r.Connecting, r.Handshakes, r.Split, r.FirstOctet} {
		if h == nil || h.Bits() != timeBits {
			return fmt.Errorf("a histogram is missing or does not have %d bits", timeBits)
		}
	}
	if r.Series == nil || !slices.Equal(r.Series.Thresholds(), r.Thresholds) || len(r.Within) != len(r.Thresholds) {
		return errors.New("the thresholds of the record and of its series differ")
	}
	if !slices.IsSortedFunc(r.Addresses, func(a, b Address) int { return cmp.Compare(a.Address, b.Address) }) {
		return errors.New("addresses are not sorted")
	}
	if r.Statuses == nil || r.Rejected == nil || r.Answers == nil {
		return errors.New("statuses are missing")
	}
	for i, route := range r.Routes {
		if route == nil || route.Open != r.Open || i > 0 && route.Name <= r.Routes[i-1].Name {
			return errors.New("routes are missing, of another workload, or not in the order of their names")
		}
	}
	return nil
}

// checkTimes returns an error that lists which numbers of times do not fit the counts.
func (r *Record) checkTimes() error {
	ended := r.Succeeded + r.Failed
	errs := []error{
		equal("service times", r.Service.Count(), r.Succeeded),
		between("times late", r.Lateness.Count(), 0, ended),
		between("responses in several reads", r.Split.Count(), 0, r.Succeeded),
		equal("times to the first octet", r.FirstOctet.Count(), r.Split.Count()),
		between("waits for a permit", r.Waited.Count(), 0, ended),
	}
	for i, n := range r.Within {
		errs = append(errs, between(fmt.Sprintf("succeeded within %v", r.Thresholds[i]), n, 0, r.Succeeded))
	}
	return errors.Join(errs...)
}

// key returns the kind's name in JSON.
func (k Kind) key() string {
	if k == NoError {
		return "none"
	}
	return k.String()
}

func kindOf(key string) (Kind, bool) {
	for kind := range Kinds {
		if kind.key() == key {
			return kind, true
		}
	}
	return NoError, false
}
