package cli

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/target"
)

// newTarget serves a target of known latency until a signal.
func newTarget(s *session) *cobra.Command {
	listen := "127.0.0.1:8080"
	var timing target.Timing
	timing.Seed = 1
	cmd := &cobra.Command{
		Use:   "target",
		Short: "Serve a target of known latency, to check any load tester",
		Args:  noArgs,
	}
	f := newFlags(cmd, "")
	f.group("Flags", []flag{
		{"listen", "ADDRESS", listen, "where to listen; port 0 is any free one", into(&listen, nonEmpty), ""},
		{"latency", "LATENCY", "0s", "time to each answer: 2ms, or 'p50=2ms,p99=40ms',\nor a mix '90%:1ms,9%:10ms,1%:100ms'", into(&timing.Latency, bare("latency", target.ParseLatency)), ""},
		{"freeze", "FOR@AT", "", "do nothing for 1s, 5s after the first request: 1s@5s (repeatable)", each(&timing.Freezes, bare("freeze", target.ParseFreeze)), ""},
		{"slow-start", "TIME", "", "how long latencies take to fall from three times theirs", into(&timing.SlowStart, parseTimeOrZero), ""},
		{"seed", "N", "1", "selects the sequence of latencies", into(&timing.Seed, parseSeed), ""},
	})
	f.completeNothing()
	cmd.RunE = func(*cobra.Command, []string) error {
		if err := f.faults.err(); err != nil {
			return err
		}
		if _, _, err := net.SplitHostPort(listen); err != nil {
			return fmt.Errorf("--listen %q: want an address with a port, for example :8080 or 127.0.0.1:0", listen)
		}
		s.status = s.serve(listen, timing)
		return nil
	}
	return cmd
}

// bare cuts the beginning of parse's errors, which says what is parsed.
func bare[T any](what string, parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (T, error) {
		v, err := parse(s)
		if err != nil {
			err = errors.New(strings.TrimPrefix(err.Error(), fmt.Sprintf("parsing %s %q: ", what, s)))
		}
		return v, err
	}
}

// serve serves until a signal.
func (s *session) serve(listen string, timing target.Timing) int {
	i := s.interruptible(func() {})
	defer i.release()
	raw, err := target.ListenRaw(listen, target.RawOptions{Timing: timing})
	if err != nil {
		s.complain("--listen %q: %v", listen, err)
		return statusNotMeasured
	}
	defer raw.Close()
	if status := s.print("listening on " + clientURL(raw.Addr) + "\n"); status != statusDone {
		return status
	}
	<-i.ctx.Done()
	i.end()
	raw.Close()
	text := fmt.Sprintf("served %d requests\n", raw.Served())
	if n := raw.Seen() - raw.Served(); n > 0 {
		text = fmt.Sprintf("served %d requests, left %d unanswered\n", raw.Served(), n)
	}
	return s.print(text)
}

// clientURL is the URL under which a client on this machine reaches a listener.
func clientURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && net.ParseIP(host).IsUnspecified() {
		addr = net.JoinHostPort("localhost", port)
	}
	return "http://" + addr
}
