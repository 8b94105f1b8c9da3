package http1

import (
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// idDigits is how many digits a request's number has in its id: enough for 11
// days at 1,000,000 requests per second. Larger numbers start again at 0.
const idDigits = 12

const idNumbers = 1_000_000_000_000 // 10^idDigits

// traceparentShape is a version 00 field of W3C Trace Context: version, trace
// id, parent id, flags (sampled).
const traceparentShape = "00-00000000000000000000000000000000-0000000000000000-01"

// checkRun returns an error unless run needs no quotes in a log or a shell.
func checkRun(run string) error {
	if run == "" {
		return errors.New("run id is empty")
	}
	if !isToken(run) {
		return fmt.Errorf("run id %q: want letters, digits, - and _", run)
	}
	return nil
}

// RequestID returns the id of request n of a run.
func RequestID(run string, n int64) string {
	b := make([]byte, len(run)+1+idDigits)
	copy(b, run)
	b[len(run)] = '-'
	putDigits(b[len(run)+1:], n)
	return string(b)
}

// ID returns the id of request n as it goes out in X-Request-Id, unless the
// user has set that field.
func (r *Request) ID(n int64) string { return RequestID(r.run, n) }

// Patch writes the id and the traceparent of request n into b, a copy that Bytes
// returned. It does not allocate.
func (r *Request) Patch(b []byte, n int64) {
	if r.id != 0 {
		putDigits(b[r.id:r.id+idDigits], n)
	}
	if r.trace != 0 {
		// Distinct within the run, and random to the samplers that compare a
		// part of the trace id with a threshold.
		low := stat.Random(r.runHash, n)
		parent := max(low, 1)
		putHex(b[r.trace:r.trace+16], r.runHash)
		putHex(b[r.trace+16:r.trace+32], low)
		putHex(b[r.trace+33:r.trace+49], parent)
	}
}

// putDigits writes n into the first idDigits octets of b. It works on two halves
// at once: a single chain of twelve divisions took twice as long.
func putDigits(b []byte, n int64) {
	b = b[:idDigits]
	u := uint64(n) % idNumbers
	high, low := uint32(u/1_000_000), uint32(u%1_000_000)
	for i := idDigits/2 - 1; i >= 0; i-- {
		b[i], b[i+idDigits/2] = byte('0'+high%10), byte('0'+low%10)
		high, low = high/10, low/10
	}
}

func putHex(b []byte, u uint64) {
	for i := 15; i >= 0; i-- {
		b[i] = "0123456789abcdef"[u&15]
		u >>= 4
	}
}

// hashRun maps a run id to the upper half of its trace ids. It is never 0,
// because a trace id of zeros is invalid.
func hashRun(run string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(run))
	return max(stat.Random(h.Sum64(), 0), 1)
}
