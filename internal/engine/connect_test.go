package engine

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// refuses runs a plan that must fail before anything is sent, and soon.
func refuses(t *testing.T, o RunOptions, kind record.Kind, message, why string) {
	t.Helper()
	o.Requests = 10
	p, err := NewRun(o)
	require.NoError(t, err, why)
	began := time.Now()
	r, err := p.Run(t.Context(), t.Context(), nil)
	assert.Nil(t, r, why)
	assert.Less(t, time.Since(began), 10*time.Second, why)
	var e *record.Error
	if assert.ErrorAs(t, err, &e, why) {
		assert.Equal(t, kind.String(), e.Kind.String(), why)
		assert.ErrorContains(t, err, message, why)
	}
}

// closedPort is an address that refuses connections. A port that was free a
// moment ago may be given to the next that asks for one; nothing asks for this
// one.
const closedPort = "127.0.0.1:1"

func TestPreflightConnects(t *testing.T) {
	refuses(t, RunOptions{Target: Target{URL: "http://" + closedPort}}, record.ConnectRefused, "connecting to "+closedPort+": ", "nothing listens")

	full := targettest.FullServer(t)
	c, err := net.Dial("tcp", full) // the only place there is
	require.NoError(t, err)
	defer c.Close()
	refuses(t, RunOptions{Target: Target{URL: "http://" + full}, Settings: Settings{Timeout: 50 * time.Millisecond}}, record.ConnectTimeout, "i/o timeout", "nothing accepts")
}

func TestPreflightResolves(t *testing.T) {
	defer func(r *net.Resolver) { net.DefaultResolver = r }(net.DefaultResolver)
	use := func(dial func(ctx context.Context) (net.Conn, error)) {
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	}
	o := RunOptions{Target: Target{URL: "http://nosuch.invalid/"}, Settings: Settings{Timeout: 100 * time.Millisecond}}

	use(func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED })
	refuses(t, o, record.Resolve, `looking up "nosuch.invalid": `, "no name server")

	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	use(func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", silent.LocalAddr().String())
	})
	refuses(t, o, record.Resolve, `looking up "nosuch.invalid": `, "a name server that never answers")

	s := raw(t, nil)
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(t, err)
	r := run(t, RunOptions{Target: Target{URL: "http://localhost:" + port}, Requests: 5})
	assert.Equal(t, int64(5), r.Requests.Succeeded, "127.0.0.1 is tried after ::1 has refused")
}

func TestConnectTimeout(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		full := targettest.FullServer(t)
		r := run(t, RunOptions{
			Target:   Target{URL: "http://" + full},
			Settings: Settings{Load: Load{Concurrency: 5}, Portable: portable, Timeout: 500 * time.Millisecond},
			Requests: 5,
		})
		// The preflight's connection is in the queue, and is never answered.
		assert.Equal(t, map[string]int64{"timeout": 1, "connect_timeout": 4}, kinds(r))
		assert.GreaterOrEqual(t, *r.FailedTime.Min, 500*time.Millisecond)
		for _, e := range r.Errors {
			if e.Kind == record.ConnectTimeout.String() {
				assert.Contains(t, e.First, full+": i/o timeout")
			}
		}
	})
}

// A server that goes away in mid-run is tried again at a bounded rate, and the
// processor is left alone.
func TestBackOff(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		for _, rate := range []float64{0, 500} {
			const permits = 8
			over, ended := make(chan struct{}), make(chan struct{})
			s := rawPassing(t, func(n int64, c *target.RawConn) {
				c.Answer(200)
				if n == 20 {
					close(over)
				}
			})
			go func() { <-over; s.Close(); close(ended) }()
			r := run(t, RunOptions{
				Target:   Target{URL: s.URL},
				Settings: Settings{Load: Load{Concurrency: permits, Rate: rate}, Portable: portable, Grace: 10 * time.Millisecond},
				Duration: 400 * time.Millisecond,
			})
			<-ended
			k := kinds(r)
			// In 0.4 s a permit tries after pauses of at least 5, 10, 20, 40,
			// 80, 160 and 250 ms.
			assert.LessOrEqual(t, k["connect_refused"], int64(permits*7))
			assert.Positive(t, k["connect_refused"])
			// One that still waits in the listener's queue may fail to connect.
			lost := k["closed"] + k["reset"] + k["write"] + k["connect"]
			assert.Equal(t, r.Requests.Failed, lost+k["connect_refused"], "no other kind: %v", k)
			assert.LessOrEqual(t, lost, int64(permits), "those in flight when it went")
			assert.LessOrEqual(t, reached(r)-s.Seen(), lost+r.Requests.Unfinished+r.Requests.SentAgain)
			if rate > 0 {
				assert.Equal(t, int64(200), r.Requests.Due, "the schedule goes on")
				assert.Positive(t, r.Requests.Unsent)
			}
			if r.Generator.CPUUse != nil {
				assert.Less(t, *r.Generator.CPUUse, 0.6)
			}
		}
	})
}

// The server stops and another one starts on its port.
func TestRestart(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		for _, rate := range []float64{0, 2000} {
			over := make(chan struct{})
			first := rawPassing(t, func(n int64, c *target.RawConn) {
				c.Answer(200)
				if n == 30 {
					close(over)
				}
			})
			second := make(chan *targettest.Raw, 1)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				defer cancel()
				defer close(second)
				<-over
				first.Close()
				s, err := targettest.ListenRaw(first.Addr, target.RawOptions{})
				if assert.NoError(t, err) {
					assert.NoError(t, s.Await(t.Context(), 200), "the load comes back")
					second <- s
				}
			}()
			r := runUntil(t, ctx, context.Background(), RunOptions{
				Target:   Target{URL: first.URL},
				Settings: Settings{Load: Load{Concurrency: 8, Rate: rate}, Portable: portable},
				Requests: 1_000_000,
			})
			s := <-second
			require.NotNil(t, s)
			defer s.Close()
			k := kinds(r)
			lost := k["closed"] + k["reset"] + k["write"] + k["truncated"]
			// One that still waits in the listener's queue may fail to connect.
			assert.Equal(t, r.Requests.Failed, lost+k["connect"]+k["connect_refused"], "no other kind: %v", k)
			assert.LessOrEqual(t, lost+k["connect"], int64(16), "those in flight when it went, and those that met its last breath")
			assert.GreaterOrEqual(t, first.Seen()+s.Seen(), r.Requests.Succeeded)
			assert.LessOrEqual(t, first.Seen()+s.Seen(), reached(r))
			assert.GreaterOrEqual(t, first.Seen()+s.Seen(), reached(r)-lost-r.Requests.SentAgain, "each request is accounted for")
		}
	})
}

// Both ends are counted when a server ends all its connections in order.
func TestGracefulEndOfAllConnections(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		s := raw(t, func(n int64, c *target.RawConn) {
			if n%100 < 10 { // each permit's connection, sooner or later
				c.Write([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"))
				c.Close()
			} else {
				c.Answer(200)
			}
		})
		r := run(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Concurrency: 8}, Portable: portable}, Requests: 2000})
		assert.Equal(t, report.Requests{Due: 2000, Sent: 2000, Completed: 2000, Succeeded: 2000}, r.Requests)
		assert.Equal(t, s.Seen(), reached(r))
	})
}
