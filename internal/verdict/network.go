package verdict

import (
	"fmt"
	"runtime"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// hints explain times that are those of a timer of TCP, where the service times
// leave little doubt. They put no number in doubt.
func hints(r *record.Record) (all []Warning) {
	if r.Place == record.InProcess {
		return nil
	}
	if text := hintDelayedAck(r.Service); text != "" && runtime.GOOS == "linux" {
		all = append(all, Warning{Code: "delayed_ack", Text: text})
	}
	if text := hintLostSYN(r.Service, r.Connections); text != "" {
		all = append(all, Warning{Code: "syn_sent_again", Text: text})
	}
	return all
}

// hintDelayedAck looks for responses that wait for an acknowledgement. Linux delays
// one by 40 ms at least, in steps of its clock of up to 10 ms, except the first ones
// on a connection. So the median lies there, some are much faster, and few are in
// between. A server that takes that long itself has none that are faster.
func hintDelayedAck(h *hist.Histogram) string {
	const ms = int64(time.Millisecond)
	delayed := between(h, 39*ms, 50*ms)
	switch n := h.Count(); {
	case n < 50 || 2*delayed < n, h.Min() > 20*ms, 20*between(h, 20*ms, 39*ms) > n:
		return ""
	}
	return fmt.Sprintf("%s of %s responses took 40 to 50ms, which is how long this system may delay an acknowledgement: the server probably sends a response in two parts and waits for one; TCP_NODELAY or a single write cures that",
		unit.Count(delayed), unit.Count(h.Count()))
}

// hintLostSYN looks for requests whose connection took a second: the first packet
// of one is sent again after 1 s, and then after 2 s and 4 s more (RFC 6298 section
// 2, tcp_syn_retries). All slow requests are then as slow as that, and as few as
// the connections that were opened.
func hintLostSYN(h *hist.Histogram, connections int64) string {
	const ms = int64(time.Millisecond)
	again := between(h, 1000*ms, 1100*ms) + between(h, 3000*ms, 3200*ms) + between(h, 7000*ms, 7300*ms)
	slow := between(h, 500*ms, h.Max())
	if again == 0 || again != slow || again > connections || 5*again > h.Count() {
		return ""
	}
	return fmt.Sprintf("%s took a little more than 1s, 3s or 7s, and all others less than 500ms: probably the first packet of a connection was lost and sent again, as it is if the server's queue of new connections (its listen backlog) is full",
		unit.Plural(again, "request"))
}

// between counts the values of h above low and up to high, to the precision of h.
func between(h *hist.Histogram, low, high int64) int64 { return h.Above(low) - h.Above(high) }
