package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// A stream collects what is written to it and lets a test wait for some of it.
type stream struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // holds one when something was written
}

func newStream() *stream { return &stream{written: make(chan struct{}, 1)} }

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.written <- struct{}{}:
	default:
	}
	return s.b.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// await waits until text has been written.
func (s *stream) await(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.written:
		case <-late:
			require.Contains(t, s.String(), text)
		}
	}
}

// A trial is one run of the command in a test.
type trial struct {
	stdin   string
	out     io.Writer // nil: Stdout
	Stdout  *stream
	Stderr  *stream
	environ map[string]string
	signals chan os.Signal
}

func newTrial() *trial {
	return &trial{Stdout: newStream(), Stderr: newStream(), signals: make(chan os.Signal, 4)}
}

func (r *trial) run(args ...string) int { return r.open().execute(args) }

// open returns the session of the run.
func (r *trial) open() *session {
	out := r.out
	if out == nil {
		out = r.Stdout
	}
	s := newSession(strings.NewReader(r.stdin), out, r.Stderr)
	s.env = func(name string) string { return r.environ[name] }
	s.catch = func() (<-chan os.Signal, func()) { return r.signals, func() {} }
	return s
}

// json is the document on stdout.
func (r *trial) json(t *testing.T) *report.Document {
	t.Helper()
	var d report.Document
	require.NoError(t, json.Unmarshal([]byte(r.Stdout.String()), &d), r.Stdout)
	require.NoError(t, d.Record.Check())
	return &d
}

// serve starts a server that behaves.
func serve(t *testing.T, behave func(n int64, c *target.RawConn)) *targettest.Raw {
	t.Helper()
	raw, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Behave: behave})
	require.NoError(t, err)
	t.Cleanup(func() { raw.Close() })
	return raw
}

// within bounds a test's wait for the server.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
