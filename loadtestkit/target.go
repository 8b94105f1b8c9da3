package loadtestkit

import (
	"context"
	"crypto/tls"
	"net/http"
	"os/exec"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/target"
)

// A Target is what receives the load: a request to a server, made by
// [Server.Get] or [Server.Send], or a function, made by [Func]. A [Server] by
// itself is one too: it gets GET requests for its URL, or for "/". nil is not
// valid.
type Target interface {
	target() engine.Target
}

// A Server is where requests go, made by [Handler], [TLSHandler], [URL] or [Command],
// and how they get there. Its fields may be set before it is used. The zero Server is
// not valid.
type Server struct {
	TLSConfig   *tls.Config // for an https URL; nil means verify by the system's certificates
	NoKeepAlive bool        // a new connection for each request
	Address     string      // which addresses of the host get connections: "all" in turn, or "first", the first that can be reached, alone; "" means all
	NoRetry     bool        // send no request again; otherwise one that a server provably did not see, because it was closing the idle connection, is sent once more if its method is idempotent
	Traceparent bool        // send a W3C traceparent with each request

	at engine.Target
}

// A Request is what is sent to a [Server]. The zero Request is a GET of the
// server's URL, or of "/".
type Request struct {
	Method string      // "" means GET, or POST with a Body
	Path   string      // with its query, such as /items?limit=10; "" means that of the URL, or "/"
	Header http.Header // a field with the name of a default one replaces it, and leaves it out if it has no values: {"User-Agent": nil}
	Body   []byte      // must not change during the run; nil means none

	// ExpectStatus are the statuses that mean success: codes, classes and ranges
	// with commas between them, such as "200,404" or "2xx,301-308". "" means 200 to
	// 299, and 304 if Header has a condition such as If-None-Match. Any other status
	// is a failed request, a redirect too.
	ExpectStatus string

	// FollowRedirects follows redirects with a status that does not mean success,
	// at most 10 for one request, as browsers do: with GET after a POST. Credentials
	// in Header, in the URL and in TLSConfig are sent to no other scheme, host or
	// port; cookies that responses set are not kept. From a [Handler] no redirect to
	// another host is followed. The response time lasts until the last response.
	FollowRedirects bool

	// ExpectBody is text that the body of each response of an expected status must
	// contain, as the body arrived: if it is encoded, as with gzip, the text is not
	// found. "" means any body.
	ExpectBody string

	// Check returns what is wrong with a response of an expected status, nil if
	// nothing is. An error or a panic makes the request a failed one of kind check.
	// Check is called by several goroutines at once, and its time is not part of the
	// response time, though no request is sent by its permit meanwhile. The Response
	// and its Body are valid only during the call. nil means no check.
	Check func(*Response) error
}

// A Response is what Check of a [Request] gets.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte // its first MiB as it arrived, not decoded if it has a Content-Encoding
	Truncated bool   // the body is longer
}

// Handler serves h in this process while the run lasts. Requests go through
// net/http's own server and reach it over connections in memory, which behave
// like TCP sockets: the numbers are those of h and net/http, with no network in
// between. For TCP give the [URL] of an httptest.NewServer(h). [Compare] uses TCP
// on loopback, where two handlers differ less by chance; so does anything else
// that calls h's server, at the address in [http.Request.Host]. A panic in h is a
// failed request of kind check that carries the panic's message; the test goes
// on.
func Handler(h http.Handler) Server { return Server{at: engine.Target{Handler: h}} }

// TLSHandler serves h as [Handler] does, over https with a certificate made for
// the run, and over TCP on loopback.
func TLSHandler(h http.Handler) Server { return Server{at: engine.Target{Handler: h, TLS: true}} }

// URL is a server that is already running, http or https. Path and query are sent
// exactly as given.
func URL(url string) Server { return Server{at: engine.Target{URL: url}} }

// Command is a server in a process of its own. start is called for each measurement,
// the repeat of one included, with an address such as 127.0.0.1:43210, of a port that
// is free, and returns the command of a server that listens there:
//
//	loadtestkit.Command(func(addr string) *exec.Cmd {
//		return exec.Command("bin/server", "-listen", addr)
//	})
//
// The load begins when the server takes connections; it has a minute for that, in which
// it may compile. At the end it gets SIGTERM, where there are signals, and a moment
// later it is killed, with all that it has started and that is still in its process
// group. A server that does not start, or ends before it is told to, fails the test
// with the end of its output; Stdout and Stderr of the command may send all of that
// elsewhere.
//
// Two builds of one program compare best this way, see [Compare].
func Command(start func(addr string) *exec.Cmd) Server {
	return Server{at: engine.Target{Command: start, CommandName: "command, on loopback"}}
}

// Get is the server with GET requests for a path, with its query, such as
// /items?limit=10. It replaces the path and query of a [URL].
func (s Server) Get(path string) Target { return s.Send(Request{Path: path}) }

// Send is the server with requests of any kind. A path in r replaces the path and
// query of a [URL].
func (s Server) Send(r Request) Target {
	t := s.at
	t.RequestOptions = engine.RequestOptions{
		Path:        r.Path,
		Method:      r.Method,
		Body:        r.Body,
		TLSConfig:   s.TLSConfig,
		NoKeepAlive: s.NoKeepAlive,
		Address:     s.Address,
		NoRetry:     s.NoRetry,
		Traceparent: s.Traceparent,

		ExpectStatus:    r.ExpectStatus,
		ExpectBody:      r.ExpectBody,
		FollowRedirects: r.FollowRedirects,
	}
	if r.Check != nil {
		t.Check = func(m *http1.Message) error { return r.Check((*Response)(m)) }
	}
	for name, values := range r.Header {
		if len(values) == 0 {
			t.Without = append(t.Without, name)
		}
		for _, v := range values {
			t.Header = append(t.Header, http1.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(t.Header, func(a, b http1.Field) int { return strings.Compare(a.Name, b.Name) })
	return complete(t)
}

func (s Server) target() engine.Target { return s.Send(Request{}).target() }

// Func calls f where other targets send a request, under the same permits, the
// same schedule and the same statistics. A call that returns an error or panics
// has failed, with the kind check; one that does so because ctx ended, with the
// kind timeout. A call that ignores ctx cannot be cut off: at the end it is
// counted as unfinished and left running.
func Func(f func(ctx context.Context) error) Target { return complete{Func: f} }

// complete is a Target to which nothing is to be added.
type complete engine.Target

func (c complete) target() engine.Target { return engine.Target(c) }

// engineTarget is what the engine makes of t, which may be nil.
func engineTarget(t Target) engine.Target {
	if t == nil {
		return engine.Target{}
	}
	return t.target()
}

// RequestID returns the id of the request that ctx belongs to, within a handler
// that [Handler] or [TLSHandler] serves or a function that [Func] calls: the id
// that the report gives beside its slowest and its failed requests. It is ""
// anywhere else.
func RequestID(ctx context.Context) string { return target.RequestID(ctx) }
