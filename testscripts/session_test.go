//go:build unix

package testscripts

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/target/targettest"
	"github.com/rogpeppe/go-internal/testscript"
)

// bound is how long a script waits for an event before it gives up. It is far more than
// any machine needs, so that only a defect can reach it.
const bound = 60 * time.Second

// A counter is a target that counts the requests it gets.
type counter interface {
	Seen() int64
	Await(ctx context.Context, n int64) error
	IDs() []string // the X-Request-Id of each request, in the order of arrival
	Close() error
}

// A session holds the targets and programs of one script.
type session struct {
	plain, secure *site     // both with the same Sampler
	targets       []counter // in the order in which they were started
	programs      map[string]*program
	gate          func() // opens the gate of the gated server; nil without one
}

type sessionKey struct{}

func sessionOf(ts *testscript.TestScript) *session { return ts.Value(sessionKey{}).(*session) }

func newSession() (*session, error) {
	seen := &sampled{Sampler: targettest.NewSampler()}
	s := &session{programs: make(map[string]*program), targets: []counter{seen}}
	var err error
	if s.plain, err = listenSite(seen, nil); err != nil {
		return nil, err
	}
	if s.secure, err = listenSite(seen, serverConfig(goodCertificate())); err != nil {
		s.plain.close()
		return nil, err
	}
	return s, nil
}

// close ends everything that the script has started.
func (s *session) close() {
	for _, p := range s.programs {
		p.kill()
	}
	if s.gate != nil {
		s.gate()
	}
	s.plain.close()
	s.secure.close()
	for _, t := range s.targets {
		_ = t.Close() // errors do not matter any more
	}
}

// seen returns how many requests all targets of the script got.
func (s *session) seen() (n int64) {
	for _, t := range s.targets {
		n += t.Seen()
	}
	return n
}

// reach waits a little until all targets together have seen the given number of
// requests: some that were sent may still have to be read.
func (s *session) reach(want int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	missing := want - s.seen()
	var wg sync.WaitGroup
	for _, t := range s.targets {
		wg.Go(func() {
			if t.Await(ctx, t.Seen()+missing) == nil {
				cancel()
			}
		})
	}
	wg.Wait()
}

// ids returns the ids of all requests that the targets got.
func (s *session) ids() (all []string) {
	for _, t := range s.targets {
		all = append(all, t.IDs()...)
	}
	return all
}

// start adds a target; the command await applies to the latest one.
func (s *session) start(ts *testscript.TestScript, t counter, url string) {
	s.targets = append(s.targets, t)
	ts.Setenv("TARGET", url)
}

// await N waits until the latest target has seen N requests.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	want := number(ts, neg, args, "usage: await N")
	s := sessionOf(ts)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	ts.Check(s.targets[len(s.targets)-1].Await(ctx, want))
}

// seen N checks how many requests all targets together got; seen FILE checks that it is
// the number sent according to the report in FILE, in text or JSON.
func cmdSeen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: seen N|FILE")
	}
	var want int64
	if _, err := fmt.Sscan(args[0], &want); err != nil {
		want, err = sentIn(ts.ReadFile(args[0]))
		ts.Check(err)
	}
	sessionOf(ts).reach(want)
	if got := sessionOf(ts).seen(); got != want {
		ts.Fatalf("the targets saw %d requests, want %d", got, want)
	}
}

// connections N checks how many connections the targets $URL and $TLS_URL accepted; N
// may have <= or >= in front.
func cmdConnections(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: connections [<=|>=]N")
	}
	s := sessionOf(ts)
	got := float64(s.plain.taken.Load() + s.secure.taken.Load())
	ok, err := holds(got, args[0])
	ts.Check(err)
	if !ok {
		ts.Fatalf("the target accepted %v connections, want %s", got, args[0])
	}
}

// open lets the gated server answer.
func cmdOpen(ts *testscript.TestScript, neg bool, args []string) {
	s := sessionOf(ts)
	if neg || len(args) != 0 || s.gate == nil {
		ts.Fatalf("usage: open (after hostile gated)")
	}
	s.gate()
}

// down stops $URL and $TLS_URL and closes every connection to them; up starts them again
// at the same addresses.
func cmdDown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: down")
	}
	sessionOf(ts).plain.down()
	sessionOf(ts).secure.down()
}

func cmdUp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: up")
	}
	ts.Check(sessionOf(ts).plain.up())
	ts.Check(sessionOf(ts).secure.up())
}

// last writes the latest request to $URL or $TLS_URL to stdout, as text.
func cmdLast(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: last")
	}
	fmt.Fprint(ts.Stdout(), sessionOf(ts).targets[0].(*sampled).Last())
}

// accounted REPORT LOG checks that nothing was lost and nothing was sent twice: each id
// arrived at most once, LOG (stderr with --verbose) has as many failed requests as the
// JSON report, and all others arrived.
func cmdAccounted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: accounted REPORT LOG")
	}
	ts.Check(account(sessionOf(ts).ids(), ts.ReadFile(args[0]), ts.ReadFile(args[1]), 0))
}
