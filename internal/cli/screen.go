package cli

import (
	"io"
	"sync"

	"github.com/loadtestkit/load-tester/internal/text"
)

// Control sequences of terminals (ECMA-48).
const (
	eraseLine  = "\x1b[K" // from the cursor to the end of the line
	eraseBelow = "\x1b[J" // from there to the end of the screen
)

// A screen shows one line that moves below lines that stay. After each drawing
// the cursor rests at the start of the line, so that all of it lies behind the
// cursor when a terminal that has become narrower wraps it, and so that the ^C
// that it echoes does not make it wrap.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int // of the terminal in columns; nil without one: then no line moves
	red   func(string) string
	ascii bool // the terminal shows no other characters

	view  view   // what the line shows
	line  string // as it is on the screen; "" if there is none
	drawn int    // how wide the terminal was then
}

// show draws v in the place of the line.
func (s *screen) show(v view) {
	if s.width == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = v
	width := s.width()
	if line := s.lineOf(width); line != s.line || width != s.drawn {
		s.put(s.drawing(width))
	}
}

// Write writes whole lines above the moving one. It reports no error: the place
// to report it would be the one that failed.
func (s *screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		s.put(string(lines))
	} else {
		width := s.width()
		s.put(s.erasing(width) + string(lines) + s.drawing(width))
	}
	return len(lines), nil
}

// clear takes the moving line away.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != "" {
		s.put(s.erasing(s.width()))
	}
}

// drawing is what draws the view over the line.
func (s *screen) drawing(width int) string {
	erase := "\r"
	if s.line != "" && width != s.drawn {
		erase = s.erasing(width)
	}
	s.line, s.drawn = s.lineOf(width), width
	return erase + s.line + eraseLine + "\r"
}

// lineOf is the view as a line.
func (s *screen) lineOf(width int) string {
	line := s.view.line(width, s.red)
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

// put writes in one piece, so that nothing flickers. An error is ignored: there
// is nothing to do about it.
func (s *screen) put(drawn string) { _, _ = io.WriteString(s.w, drawn) }
