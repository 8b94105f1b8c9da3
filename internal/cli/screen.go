package cli

import (
	"bytes"
	"io"
	"sync"

	"time"

	"github.com/loadtestkit/load-tester/internal/text"
)

// Control sequences of terminals (ECMA-48).
const (
	eraseLine  = "\x1b[K" // from the cursor to the end of the line
	eraseBelow = "\x1b[J" // from there to the end of the screen
)

const (
	// maxQueued is how many octets of log lines wait to be written before further
	// ones are dropped: what a limitedLog lets through at once fits.
	maxQueued = 1 << 20
	// maxWrite is how many octets of lines are written at once, a longer line
	// apart: a pipe takes them all or none (PIPE_BUF).
	maxWrite = 4 << 10
)

// A screen shows one line that moves below lines that stay. A goroutine does the
// writing, so that a terminal that was stopped or a pipe that is not read holds up
// nothing else. Errors are ignored: the place to report them would be the one that
// failed.
//
// After each drawing the cursor rests at the start of the line, so that all of it
// lies behind the cursor when a terminal that has become narrower wraps it, and so
// that the ^C that it echoes does not make it wrap.
type screen struct {
	w     io.Writer
	width func() int // of the terminal in columns; nil without one: then no line moves
	red   func(string) string
	ascii bool // the terminal shows no other characters

	mu      sync.Mutex
	lines   []byte        // to be written
	writing []byte        // lines that are being written
	view    *view         // what the line is to show; nil for no line
	dropped int64         // lines
	written chan struct{} // closed once all is written; nil if it is
	began   time.Time     // when the write began that has not ended; zero if there is none
	took    time.Duration // the writes before

	// What the goroutine that writes has put on the screen.
	line  string // "" if there is none
	drawn int    // how wide the terminal was then
}

// show draws v in the place of the line. It replaces a view that has not been drawn.
func (s *screen) show(v view) {
	s.change(func() {
		if s.width != nil {
			s.view = &v
		}
	})
}

// clear takes the moving line away.
func (s *screen) clear() { s.change(func() { s.view = nil }) }

// print writes whole lines above the moving one.
func (s *screen) print(lines string) { s.change(func() { s.lines = append(s.lines, lines...) }) }

// Write is print for lines of a log. They are written when there are some, or with
// what is shown or printed next: waking up for each costs what the load needs. They
// are dropped if too many wait.
func (s *screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines)+len(lines) > maxQueued {
		s.drop(lines)
		return len(lines), nil
	}
	s.lines = append(s.lines, lines...)
	if len(s.lines) >= maxWrite {
		s.start()
	}
	return len(lines), nil
}

// drop counts lines that were not written in time; mu must be held.
func (s *screen) drop(lines []byte) { s.dropped += int64(bytes.Count(lines, []byte("\n"))) }

// change changes what is to be on the screen.
func (s *screen) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	s.start()
}

// start makes sure that the screen is being updated; mu must be held.
func (s *screen) start() {
	if s.written == nil {
		s.written = make(chan struct{})
		go s.update()
	}
}

// update writes until the screen is as it is to be.
func (s *screen) update() {
	for {
		width := 0
		if s.width != nil {
			width = s.width()
		}
		text := s.begin(width)
		if text == "" {
			return
		}
		_, _ = io.WriteString(s.w, text) // in one piece, so that nothing flickers
		s.end()
	}
}

// begin returns what is to be written now; nothing once all is written.
func (s *screen) begin(width int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.difference(width)
	if text == "" {
		close(s.written)
		s.written = nil
	} else {
		s.began = time.Now()
	}
	return text
}

// end records that a write has ended.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took += time.Since(s.began)
	s.began, s.writing = time.Time{}, nil
}

// difference is what makes the screen as it is to be; mu must be held.
func (s *screen) difference(width int) (text string) {
	line := ""
	if s.view != nil {
		line = s.lineOf(s.view, width)
	}
	if s.line != "" && (len(s.lines) > 0 || line == "" || width != s.drawn) {
		text = s.erasing(width)
	}
	s.writing = s.take()
	text += string(s.writing)
	if line != s.line && len(s.lines) == 0 {
		s.line, s.drawn = line, width
		text += "\r" + line + eraseLine + "\r"
	}
	return text
}

// take returns the lines to write next; mu must be held.
func (s *screen) take() (lines []byte) {
	n := len(s.lines)
	if n > maxWrite {
		n = 1 + bytes.LastIndexByte(s.lines[:maxWrite], '\n')
	}
	if n == 0 { // it is a long one
		n = 1 + bytes.IndexByte(s.lines, '\n')
	}
	lines, s.lines = s.lines[:n], s.lines[n:]
	return lines
}

// lineOf is a view as a line.
func (s *screen) lineOf(v *view, width int) string {
	line := v.line(width, s.red)
	if s.ascii {
		line = text.ASCII(line)
	}
	return line
}

// erasing is what takes the line away, and what a terminal that has changed its
// width made of it.
func (s *screen) erasing(width int) string {
	s.line = ""
	if width != s.drawn {
		return "\r" + eraseBelow
	}
	return "\r" + eraseLine
}

// flush waits until all is written, and reports whether it was. It gives up a write
// that takes longer than the time given, and what waits behind it.
func (s *screen) flush(most time.Duration) bool {
	s.mu.Lock()
	s.start()
	written := s.written
	if !s.began.IsZero() {
		most -= time.Since(s.began)
	}
	s.mu.Unlock()
	select {
	case <-written:
		return true
	case <-time.After(most):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.writing)
	s.drop(s.lines)
	s.writing, s.lines = nil, nil
	return false
}

// cost returns how many log lines were dropped, and how long writing has taken.
func (s *screen) cost() (dropped int64, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took = s.took
	if !s.began.IsZero() {
		took += time.Since(s.began)
	}
	return s.dropped, took
}
