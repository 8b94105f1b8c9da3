package target

import (
	"fmt"
	"net/http"
	"path"
	"runtime"
	"strings"
	"sync"
)

const (
	// panicsKept is how many panics are kept, the latest ones. A report shows a
	// few of them, and asks soon after the failure.
	panicsKept = 1024
	// panicText is the maximum length of a panic's value in bytes, a few lines.
	panicText = 512
)

// panics keeps the latest panics of a handler by request id. The zero value is
// ready to use. It is safe for concurrent use.
type panics struct {
	mu    sync.Mutex
	texts map[string]string
	ids   []string // a ring once it holds panicsKept ids
	next  int      // index of the oldest id in the ring
}

func (p *panics) remember(id, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.texts == nil {
		p.texts = make(map[string]string)
	}
	if _, known := p.texts[id]; !known {
		if len(p.ids) < panicsKept {
			p.ids = append(p.ids, id)
		} else {
			delete(p.texts, p.ids[p.next])
			p.ids[p.next] = id
			p.next = (p.next + 1) % panicsKept
		}
	}
	p.texts[id] = text
}

func (p *panics) text(id string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, ok := p.texts[id]
	return text, ok
}

// guard returns h with the request's id in each context. It keeps the panics of h,
// which net/http would print, and ends their connections.
func (p *panics) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		returned := false
		defer func() {
			if returned {
				return
			}
			switch v := recover(); v {
			case nil:
				p.remember(id, "the handler ended its goroutine, as t.Fatal and t.FailNow do; call them on the test's goroutine")
				return
			case http.ErrAbortHandler:
			default:
				p.remember(id, describePanic(v))
			}
			panic(http.ErrAbortHandler)
		}()
		if id != "" {
			r = r.WithContext(WithRequestID(r.Context(), id))
		}
		h.ServeHTTP(w, r)
		returned = true
	})
}

// describePanic formats the value v of a panic and the place where it happened. It
// must be called by the deferred function that recovered v.
func describePanic(v any) string {
	text := fmt.Sprint("panic: ", v)
	if len(text) > panicText {
		text = strings.ToValidUTF8(text[:panicText], "") + "..."
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	thrown := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			thrown = true
		case thrown && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf("%s (%s at %s:%d)", text, path.Base(f.Function), path.Base(f.File), f.Line)
		}
		if !more {
			return text
		}
	}
}
