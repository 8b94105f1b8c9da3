package load

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// timeBits: times are kept to 0.1 %, which three digits can show.
	timeBits = 10
	// keptSlowest and keptErrors bound what is kept of single requests.
	keptSlowest = 10
	keptErrors  = 5
)

// A shard records what some of the permits see. There is one for each
// processor, not for each permit: its lock is hardly ever contended, and
// 10,000 permits do not mean 10,000 histograms.
type shard struct {
	mu     sync.Mutex
	open   bool
	warmup time.Duration
	shift  time.Duration // of an offset, to one in the course of the run

	// Times in nanoseconds. In a closed workload only response times are
	// recorded: service times are the same, and the others 0.
	response, service *hist.Histogram // of succeeded requests
	failed            *hist.Histogram // response times of failed ones
	lateness, waited  *hist.Histogram // of all

	series     *hist.Series // offsets in the course of the run
	thresholds []time.Duration
	within     []int64 // succeeded requests with a response time of at most thresholds[i]

	statuses [600]int64
	others   map[int]int64 // statuses past 599
	kinds    [record.Kinds]int64
	failures [record.Kinds][]record.Failure
	slowest  []record.Sample // descending by response time

	done           Progress
	last, lastSent time.Duration // the latest Done and Sent, warm-up apart
	warm           record.Totals // what was due in the warm-up; only Succeeded and Failed are kept here

	bytesSent, bytesReceived, bytesBody, bytesSurplus int64

	_ [64]byte // keeps a neighbour's lock off this cache line
}

func newShard(cfg *Config) *shard {
	return &shard{
		open:       cfg.Schedule != nil,
		warmup:     cfg.Warmup,
		shift:      cfg.shift(),
		response:   hist.New(timeBits),
		service:    hist.New(timeBits),
		failed:     hist.New(timeBits),
		lateness:   hist.New(timeBits),
		waited:     hist.New(timeBits),
		series:     hist.NewSeries(cfg.Thresholds),
		thresholds: cfg.Thresholds,
		within:     make([]int64, len(cfg.Thresholds)),
		slowest:    make([]record.Sample, 0, keptSlowest+1),
		others:     map[int]int64{},
	}
}

// record counts a request that is over. In steady state it allocates nothing.
func (h *shard) record(s *record.Sample) {
	ok := s.Succeeded()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Due < h.warmup {
		if ok {
			h.warm.Succeeded++
		} else {
			h.warm.Failed++
		}
		return
	}

	h.last = max(h.last, s.Done)
	h.lastSent = max(h.lastSent, s.Sent)
	due, response := s.Due+h.shift, s.ResponseTime()
	h.series.Due(due)
	h.series.Sent(s.Sent + h.shift)
	h.series.Done(s.Done+h.shift, ok)
	if ok {
		h.done.Succeeded++
		h.response.Record(int64(response))
		if h.open {
			h.service.Record(int64(s.ServiceTime()))
		}
		h.series.Response(due, response)
		for i, t := range h.thresholds {
			if response <= t {
				h.within[i]++
			}
		}
	} else {
		h.done.Failed++
		h.failed.Record(int64(response))
		h.series.Missed(due)
	}
	if h.open {
		h.lateness.Record(int64(s.Lateness()))
		h.waited.Record(int64(s.Waited))
	}
	h.bytesSent += s.BytesSent
	h.bytesReceived += s.BytesReceived
	if s.Kind == record.NoError {
		h.bytesBody += s.BytesBody
	}
	h.bytesSurplus += s.BytesSurplus

	h.kinds[s.Kind]++
	if s.Kind == record.NoError {
		h.series.Completed(s.Done + h.shift)
	} else {
		if f := h.failures[s.Kind]; len(f) < keptErrors {
			h.failures[s.Kind] = append(f, record.Failure{N: s.N, Err: s.Err})
		}
		return
	}
	if uint(s.Status) < uint(len(h.statuses)) {
		h.statuses[s.Status]++
	} else {
		h.others[s.Status]++
	}
	if n := len(h.slowest); n < keptSlowest || response > h.slowest[n-1].ResponseTime() {
		h.keep(s)
	}
}

// keep places s among the slowest responses.
func (h *shard) keep(s *record.Sample) {
	// By value: given the pointer, the function would make every sample escape.
	at, _ := slices.BinarySearchFunc(h.slowest, s.ResponseTime(), slower)
	h.slowest = slices.Insert(h.slowest, at, *s)
	h.slowest = h.slowest[:min(len(h.slowest), keptSlowest)]
}

func slower(a record.Sample, than time.Duration) int {
	return cmp.Compare(than, a.ResponseTime())
}

// merge adds what o recorded to h. Neither may be in use.
func (h *shard) merge(o *shard) {
	h.response.Merge(o.response)
	h.service.Merge(o.service)
	h.failed.Merge(o.failed)
	h.lateness.Merge(o.lateness)
	h.waited.Merge(o.waited)
	h.series.Merge(o.series)
	for i, n := range o.within {
		h.within[i] += n
	}
	for status, n := range o.statuses {
		h.statuses[status] += n
	}
	for status, n := range o.others {
		h.others[status] += n
	}
	for kind := range o.kinds {
		h.kinds[kind] += o.kinds[kind]
		f := append(h.failures[kind], o.failures[kind]...)
		slices.SortFunc(f, func(a, b record.Failure) int { return cmp.Compare(a.N, b.N) })
		h.failures[kind] = f[:min(len(f), keptErrors)]
	}
	for i := range o.slowest {
		h.keep(&o.slowest[i])
	}
	h.done.Succeeded += o.done.Succeeded
	h.done.Failed += o.done.Failed
	h.last = max(h.last, o.last)
	h.lastSent = max(h.lastSent, o.lastSent)
	h.warm.Succeeded += o.warm.Succeeded
	h.warm.Failed += o.warm.Failed
	h.bytesSent += o.bytesSent
	h.bytesReceived += o.bytesReceived
	h.bytesBody += o.bytesBody
	h.bytesSurplus += o.bytesSurplus
}
