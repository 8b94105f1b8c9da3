package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// hijacking returns a handler that takes the connection over, says s and closes
// it. A request with a body has been read.
func hijacking(t *testing.T, s string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		c, _, err := w.(http.Hijacker).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		io.WriteString(c, s)
		c.Close()
	}
}

// Whatever a handler does, a request in memory ends as one over TCP does.
func TestHandlersAreTheSameInMemoryAndOverTCP(t *testing.T) {
	large := make([]byte, 8<<20)
	small := make([]byte, 6<<10) // more than net/http reads ahead
	flush := func(w http.ResponseWriter) { assert.NoError(t, http.NewResponseController(w).Flush()) }
	abort := func() { panic(http.ErrAbortHandler) }
	const patience = time.Second / 2 // enough to connect on a busy machine
	for _, tc := range []struct {
		name    string
		o       RunOptions
		handler http.HandlerFunc
		status  string // of all responses, or else
		kind    string // of all errors
		kept    bool   // connections serve more than one request
	}{
		{"answers", RunOptions{}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) }, "200", "", true},
		{"answers at length", RunOptions{}, func(w http.ResponseWriter, _ *http.Request) { w.Write(large) }, "200", "", true},
		{"flushes", RunOptions{}, func(w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				fmt.Fprint(w, "some")
				flush(w)
			}
		}, "200", "", true},
		{"HEAD", RunOptions{Target: Target{RequestOptions: RequestOptions{Method: "HEAD"}}}, func(w http.ResponseWriter, _ *http.Request) { w.Write(large) }, "200", "", true},
		{"has no keep-alives", RunOptions{}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }, "200", "", false},
		{"is asked for none", RunOptions{Target: Target{RequestOptions: RequestOptions{NoKeepAlive: true}}}, func(http.ResponseWriter, *http.Request) {}, "200", "", false},
		{"reads a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			assert.NoError(t, err)
			assert.EqualValues(t, len(large), n)
		}, "200", "", true},
		{"leaves a small body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: small}}}, func(http.ResponseWriter, *http.Request) {}, "200", "", true},
		{"leaves a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) }, "413", "", false},
		{"leaves most of a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, func(w http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, 1<<20)
			w.WriteHeader(413)
			flush(w)
		}, "413", "", false},
		{"limits a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1000))
			assert.Error(t, err)
			w.WriteHeader(413)
		}, "413", "", false},
		{"echoes a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			io.Copy(w, r.Body)
		}, "200", "", true},
		{"is asked to go on", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: small, Header: []http1.Field{{Name: "Expect", Value: "100-continue"}}}}},
			func(w http.ResponseWriter, r *http.Request) {
				n, _ := io.Copy(io.Discard, r.Body)
				assert.EqualValues(t, len(small), n)
			}, "200", "", true},
		{"does not want a request to go on", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: small, Header: []http1.Field{{Name: "Expect", Value: "100-continue"}}}}},
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(417) }, "417", "", false},
		{"expects nothing else", RunOptions{Target: Target{RequestOptions: RequestOptions{Header: []http1.Field{{Name: "Expect", Value: "more"}}}}}, nil, "417", "", false},
		{"aborts", RunOptions{}, func(http.ResponseWriter, *http.Request) { abort() }, "", "closed", false},
		{"aborts with a small body unread", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: small}}}, func(http.ResponseWriter, *http.Request) { abort() }, "", "closed", false},
		// Some of the body has to be there: before that, TCP ends in order.
		{"aborts with a large body unread", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, func(_ http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, 1)
			abort()
		}, "", "reset", false},
		{"aborts amid its answer", RunOptions{}, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "half")
			flush(w)
			abort()
		}, "", "truncated", false},
		{"panics", RunOptions{}, func(http.ResponseWriter, *http.Request) { panic("boom") }, "", "check", false},
		{"hijacks and answers to the end", RunOptions{}, hijacking(t, "HTTP/1.0 200 OK\r\n\r\nto the end"), "200", "", false},
		{"hijacks and answers too little", RunOptions{}, hijacking(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"), "", "truncated", false},
		{"hijacks and talks nonsense", RunOptions{}, hijacking(t, "SSH-2.0\r\n\r\n"), "", "malformed", false},
		{"hijacks and says nothing", RunOptions{}, hijacking(t, ""), "", "closed", false},
		{"hijacks and says too much", RunOptions{}, hijacking(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n12"), "200", "", false},
		{"hijacks after a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}}, hijacking(t, "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), "201", "", false},
		{"hangs", RunOptions{Settings: Settings{Load: Load{Concurrency: 6}, Timeout: patience}}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "", "timeout", false},
		{"hangs with a large body", RunOptions{Target: Target{RequestOptions: RequestOptions{Body: large}}, Settings: Settings{Load: Load{Concurrency: 6}, Timeout: patience}}, func(_ http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, 1<<20)
			<-r.Context().Done()
		}, "", "timeout", false},
		{"times out itself", RunOptions{}, func(w http.ResponseWriter, r *http.Request) {
			c := http.NewResponseController(w)
			c.SetWriteDeadline(time.Unix(1, 0))
			fmt.Fprint(w, "too late")
		}, "", "closed", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, tcp := range []bool{false, true} {
				o := tc.o
				o.Target.Handler, o.Portable = tc.handler, true
				if o.Target.Handler == nil {
					o.Target.Handler = healthy
				}
				if o.Target.Body != nil {
					o.Target.Method = "POST"
				}
				if o.Requests = 6; o.Concurrency == 0 {
					o.Concurrency = 2
				}
				r := run(t, o, func(p *armPlan) { p.overTCP = tcp })
				if tc.status != "" {
					assert.Equal(t, map[string]int64{tc.status: 6}, r.StatusCodes, "over TCP: %v; %+v", tcp, r.Errors)
				} else {
					assert.Equal(t, map[string]int64{tc.kind: 6}, kinds(r), "over TCP: %v; %+v", tcp, r.Errors)
				}
				if tc.kept {
					assert.LessOrEqual(t, r.Generator.ConnectionsOpened, int64(2), "over TCP: %v", tcp)
				} else {
					assert.Equal(t, int64(6), r.Generator.ConnectionsOpened, "over TCP: %v", tcp)
				}
			}
		})
	}
}

// A handler served over TCP gets the requests of the run alone; what else comes to its
// port is counted.
func TestStrangersDoNotReachTheHandler(t *testing.T) {
	t.Parallel()
	var once sync.Once
	var reached atomic.Int64
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header[target.TokenHeader])
		reached.Add(1)
		once.Do(func() {
			resp, err := http.Get("http://" + r.Host)
			if assert.NoError(t, err) {
				resp.Body.Close()
				assert.Equal(t, http.StatusForbidden, resp.StatusCode)
			}
		})
	})
	d := run(t, RunOptions{Target: Target{Handler: h}, Requests: 6}, func(p *armPlan) { p.overTCP = true })
	assert.Equal(t, int64(6), reached.Load())
	assert.True(t, slices.ContainsFunc(d.Generator.Warnings, func(w verdict.Warning) bool { return w.Code == "strangers" }), d.Generator.Warnings)
}

// What has happened on a connection that idles is seen before it is used again.
func TestIdleConnectionsInMemory(t *testing.T) {
	taken := make(chan net.Conn, 1)
	s, err := target.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if assert.NoError(t, err) {
			io.WriteString(c, ok3)
		}
		taken <- c
	}), target.ServeOptions{})
	require.NoError(t, err)
	defer s.Close()
	request, err := http1.NewRequest(http1.Spec{URL: s.URL, Run: "test"})
	require.NoError(t, err)
	check := func(stray int64, why string, happens func(c net.Conn)) {
		t.Helper()
		nc, err := (&http1.Dialer{Connect: s.Dial}).Dial(t.Context())
		require.NoError(t, err)
		c := http1.NewConn(nc, request)
		defer c.Close()
		require.True(t, c.Exchange(0).Reusable)
		assert.True(t, c.Idle(), "nothing has happened")
		server := <-taken
		defer server.Close()
		happens(server)
		assert.False(t, c.Idle(), why)
		assert.Equal(t, stray, c.Stray(), why)
	}
	check(0, "it ended", func(c net.Conn) { c.Close() })
	check(5, "something came", func(c net.Conn) { io.WriteString(c, "stray") })
	check(5, "and then it ended", func(c net.Conn) { io.WriteString(c, "stray"); c.Close() })
	check(4096, "much came", func(c net.Conn) { c.Write(make([]byte, 10_000)) })
}

// A target's requests take the way that its kind has, and its control's too.
func TestWhoGoesOverTCP(t *testing.T) {
	s := httptest.NewServer(healthy)
	defer s.Close()
	check := func(inMemory bool, why string, o RunOptions) {
		t.Helper()
		o.Requests = 1
		p := newRun(t, o).arm
		a, err := p.open(t.Context())
		require.NoError(t, err)
		c := openControl(t.Context(), p)
		require.NoError(t, c.off)
		for who, arm := range map[string]*arm{"target": a, "control": c.arm} {
			assert.Equal(t, inMemory, arm.pool.Dialer.Connect != nil, "%s, the %s", why, who)
		}
		c.close()
		require.NoError(t, a.close())
	}
	check(true, "a handler", RunOptions{Target: Target{Handler: healthy}})
	check(true, "a handler", RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Rate: 10}, Portable: true}})
	check(false, "a handler with TLS", RunOptions{Target: Target{Handler: healthy, TLS: true}})
	check(false, "a URL", RunOptions{Target: Target{URL: s.URL}})
}

// Documents name a target by what its requests are, the same before and after the run:
// the address at which a handler is served is of no use to a reader.
func TestNamesOfTargets(t *testing.T) {
	s := httptest.NewServer(healthy)
	defer s.Close()
	check := func(name, path, id string, target Target) {
		t.Helper()
		p, err := NewRun(RunOptions{Target: target, Requests: 1})
		require.NoError(t, err)
		d, err := p.Run(t.Context(), t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, name, d.Config.Target)
		assert.Equal(t, name, d.Target)
		assert.Equal(t, path, d.Config.Path)
		assert.Equal(t, id, d.Name())
		assert.Equal(t, d.Config, p.Preview().Config)
	}
	items := RequestOptions{Path: "/items?limit=10"}
	check("handler, in memory: GET /items?limit=10", "/items?limit=10", "GET/items?limit=10/c=10", Target{Handler: healthy, RequestOptions: items})
	check("handler, in memory: GET /", "/", "GET/c=10", Target{Handler: healthy})
	check("handler, over TLS on loopback: POST /", "/", "POST/c=10", Target{Handler: healthy, TLS: true, RequestOptions: RequestOptions{Method: "POST"}})
	check(s.URL+"/items?limit=10", "/items?limit=10", "GET/items?limit=10/c=10", Target{URL: s.URL, RequestOptions: items})
	check("Go function", "", "Go_function/c=10", Target{Func: func(context.Context) error { return nil }})

	p, err := NewComparison(CompareOptions{Base: Target{Handler: healthy}, Head: Target{URL: s.URL}})
	require.NoError(t, err)
	d := p.Preview()
	assert.Equal(t, "handler, on loopback: GET /", d.Base.Target)
	assert.Equal(t, s.URL, d.Target)
	p, err = NewSearch(SearchOptions{Target: Target{Handler: healthy}, Limits: limits(t, "p99<=50ms")})
	require.NoError(t, err)
	assert.Equal(t, []string{"p99<=50ms"}, p.Preview().Found.Limits)
}

// All permits can be in flight at once.
func TestHandlerWithManyPermits(t *testing.T) {
	const permits = 2000 // the race detector allows 8128 goroutines, and a request has three
	var in atomic.Int64
	all := make(chan struct{})
	r := run(t, RunOptions{
		Target: Target{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if in.Add(1) == permits {
				close(all)
			}
			select {
			case <-all:
			case <-r.Context().Done():
			}
		})},
		Settings: Settings{Load: Load{Concurrency: permits}, Timeout: time.Minute},
		Requests: 2 * permits,
	})
	assert.Equal(t, int64(2*permits), r.Requests.Succeeded, "%+v", r.Errors)
	assert.EqualValues(t, permits, r.Generator.PeakInFlight)
	assert.EqualValues(t, permits, r.Generator.ConnectionsOpened)
}

// A handler's server is closed though its connections never end by themselves.
func TestHandlerIsClosedAmidItsAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := runUntil(t, ctx, ctx, RunOptions{
		Target: Target{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cancel()
			for b := make([]byte, 1<<20); ; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		})},
		Settings: Settings{Timeout: time.Minute},
		Requests: 4,
	})
	assert.True(t, r.Interrupted)
	assert.Equal(t, r.Requests.Sent, r.Requests.Unfinished)
	for _, w := range r.Generator.Warnings {
		assert.NotEqual(t, "abandoned", w.Code)
	}
}
