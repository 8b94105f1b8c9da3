package targettest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
)

// hello is the body of every answer with status 200.
const hello = "hello, world\n"

// A Sampler is a handler with answers of every kind:
//
//	/                        200, timed by [target.Demo]
//	/ok                      200 at once
//	/status/{code}           that status
//	/redirect/{code}?to=/ok  that status, leading there
//	/items/                  200 at once; /items redirects to it
//	/mixed?every=4           503 to every 4th request of this path, else 200; 2 by default
//	/slow?d=10ms             200 after that time; 10ms by default
//	/never                   nothing, until the client gives up
//	/drop                    nothing: the connection ends
//	/echo                    200 with the request as text
type Sampler struct {
	counter counter
	mux     *http.ServeMux
	mixed   atomic.Int64

	mu   sync.Mutex
	last string
}

// NewSampler returns a Sampler that has seen no request.
func NewSampler() *Sampler {
	s := &Sampler{mux: http.NewServeMux()}
	s.mux.Handle("/{$}", target.Known(target.Demo()))
	s.mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, hello) })
	s.mux.HandleFunc("/status/{code}", serveStatus)
	s.mux.HandleFunc("/redirect/{code}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		serveStatus(w, r)
	})
	s.mux.HandleFunc("/items/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, hello) })
	s.mux.HandleFunc("/mixed", s.serveMixed)
	s.mux.HandleFunc("/slow", serveSlow)
	s.mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	s.mux.HandleFunc("/drop", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	return s
}

// ServeHTTP answers by the request's path.
func (s *Sampler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := describeRequest(r)
	if err != nil { // the request ended within its body
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	s.last = text
	s.mu.Unlock()
	s.counter.add()
	if r.URL.Path == "/echo" {
		_, _ = io.WriteString(w, text)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Seen returns how many complete requests arrived.
func (s *Sampler) Seen() int64 { return s.counter.count() }

// Await blocks until n requests arrived, or ctx ends: then its error says how
// many did.
func (s *Sampler) Await(ctx context.Context, n int64) error { return s.counter.await(ctx, n) }

// Last returns the latest request as text: its first line, its header fields
// sorted, and the first 4 KiB of its body.
func (s *Sampler) Last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// describeRequest reads r's body to its end.
func describeRequest(r *http.Request) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\nHost: %s\n", r.Method, r.RequestURI, r.Proto, r.Host)
	var fields []string
	for name, values := range r.Header {
		for _, v := range values {
			fields = append(fields, name+": "+v+"\n")
		}
	}
	slices.Sort(fields)
	b.WriteString(strings.Join(fields, ""))
	b.WriteByte('\n')
	if _, err := io.CopyN(&b, r.Body, 4<<10); err != nil && err != io.EOF {
		return "", err
	}
	_, err := io.Copy(io.Discard, r.Body)
	return b.String(), err
}

func serveStatus(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "want a status from 200 to 599", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, http.StatusText(code)+"\n") // an error for 204 and 304, which have no body
}

func (s *Sampler) serveMixed(w http.ResponseWriter, r *http.Request) {
	every := int64(2)
	if text := r.URL.Query().Get("every"); text != "" {
		var err error
		if every, err = strconv.ParseInt(text, 10, 64); err != nil || every < 1 {
			http.Error(w, "want every=N, N at least 1", http.StatusBadRequest)
			return
		}
	}
	if s.mixed.Add(1)%every == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, hello)
}

func serveSlow(w http.ResponseWriter, r *http.Request) {
	d := 10 * time.Millisecond
	if text := r.URL.Query().Get("d"); text != "" {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if target.Sleep(r.Context(), d) != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, hello)
}
