package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/loadtestkit/load-tester/internal/engine"
)

// defaultRequests is how many requests a run without an end of its own sends.
const defaultRequests = 100

// runOptions are the options of a run. Without an end and without limits, which
// a run goes on for until it is clear whether they hold, it has one.
func (set *settings) runOptions(stdin io.Reader) (engine.Options, error) {
	set.checkRun()
	o, err := set.options(stdin)
	if set.endless() && len(set.limits) == 0 {
		o.Requests = defaultRequests
	}
	return o, err
}

// options are what the settings ask of the engine. An error says which flags
// are wrong, a line for each.
func (set *settings) options(stdin io.Reader) (engine.Options, error) {
	set.check()
	o := engine.Options{
		Method:           set.method,
		Header:           set.header,
		Traceparent:      set.traceparent,
		NoKeepAlive:      set.noKeepAlive,
		Requests:         set.requests,
		Duration:         set.duration,
		Warmup:           set.warmup,
		Concurrency:      set.concurrency,
		Timeout:          set.timeout,
		Grace:            set.grace,
		Rate:             set.rate,
		Stages:           set.stages,
		Poisson:          set.arrivals == "poisson",
		Seed:             set.seed,
		ConnectionsAhead: set.ahead,
		Limits:           set.limits,
		Confirm:          set.confirm,
		Budget:           set.budget,
		Tolerances:       set.tolerances,
		Most:             set.most,
		Alone:            true,
	}
	if set.insecure {
		o.TLSConfig = &tls.Config{InsecureSkipVerify: true}
	}
	if len(set.urls) == 1 {
		o.URL = set.urls[0]
	}
	// Standard input is not worth waiting for when something else is wrong.
	if len(set.bodies) == 1 && len(set.faults) == 0 {
		var err error
		if o.Body, err = readBody(set.bodies[0], stdin); err != nil {
			set.faults.add("--body %q: %v", set.bodies[0], err)
		}
	}
	return o, set.faults.err()
}

// readBody returns the body that TEXT, @FILE or - stands for.
func readBody(s string, stdin io.Reader) ([]byte, error) {
	name, isFile := strings.CutPrefix(s, "@")
	switch {
	case s == "-":
		b, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return b, nil
	case isFile:
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w, want text, @FILE or -", cause(err))
		}
		return b, nil
	}
	return []byte(s), nil
}

// cause is what went wrong with a file, without the name of the file or of the
// system call.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
