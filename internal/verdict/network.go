package verdict

import (
	"fmt"
	"runtime"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// hints explain times that are those of a timer of TCP, where the times leave little
// doubt. They put no number in doubt.
func hints(r *record.Record) (all []Warning) {
	if r.Place == record.InProcess {
		return nil
	}
	if text := hintDelayedAck(r); text != "" && runtime.GOOS == "linux" {
		all = append(all, Warning{Code: "delayed_ack", Text: text})
	}
	if text := hintLostSYN(r); text != "" {
		all = append(all, Warning{Code: "syn_sent_again", Text: text})
	}
	return all
}

// hintDelayedAck looks for responses whose end waits for an acknowledgement of their
// beginning. Linux delays one by 40 ms at least, in steps of its clock of up to 10 ms,
// except the first ones on a connection. So the median lies there, some are much
// faster, few are in between, and the first octet comes early. A server that takes
// that long itself has none that are faster.
func hintDelayedAck(r *record.Record) string {
	const ms = int64(time.Millisecond)
	h, first := r.Service, r.FirstOctets()
	delayed := between(h, 39*ms, 50*ms)
	switch n := h.Count(); {
	case n < 50 || 2*delayed < n, h.Min() > 20*ms, 20*between(h, 20*ms, 39*ms) > n, 20*first.Above(20*ms) > n:
		return ""
	}
	return fmt.Sprintf("%s of %s responses took 40 to 50ms, which is how long this system may delay an acknowledgement: the server probably sends a response in two parts and waits for one; TCP_NODELAY or a single write cures that",
		unit.Count(delayed), unit.Count(h.Count()))
}

// hintLostSYN looks for connections that took a second to open: the first packet of
// one is sent again after 1 s, and then after 2 s and 4 s more (RFC 6298 section 2,
// tcp_syn_retries). It does not matter if no request waited for them.
func hintLostSYN(r *record.Record) string {
	const ms = int64(time.Millisecond)
	h := r.Connecting
	again := between(h, 1000*ms, 1100*ms) + between(h, 3000*ms, 3200*ms) + between(h, 7000*ms, 7300*ms)
	if again == 0 || r.Service.Max() < 1000*ms {
		return ""
	}
	return fmt.Sprintf("%s of %s connections took a little more than 1s, 3s or 7s to open: probably their first packet was lost and sent again, as it is if the server's queue of new connections (its listen backlog) is full",
		unit.Count(again), unit.Count(h.Count()))
}

// between counts the values of h above low and up to high, to the precision of h.
func between(h *hist.Histogram, low, high int64) int64 { return h.Above(low) - h.Above(high) }
