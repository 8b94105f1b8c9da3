package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logRate is how many failed requests a second are logged, and how many at once. The
// goroutine that sends formats each line, in microseconds that the load lacks.
const logRate = 1_000

// A limitedLog is a handler that is not enabled for more lines. A nil one has had
// none.
type limitedLog struct {
	slog.Handler

	mu      sync.Mutex
	room    float64   // lines, at
	at      time.Time // zero before the first
	omitted int64
}

// Enabled reports whether there is room for a line, and takes it.
func (l *limitedLog) Enabled(context.Context, slog.Level) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.room = min(logRate, l.room+logRate*now.Sub(l.at).Seconds())
	l.at = now
	if l.room < 1 {
		l.omitted++
		return false
	}
	l.room--
	return true
}

// count returns how many lines there was no room for.
func (l *limitedLog) count() int64 {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.omitted
}
