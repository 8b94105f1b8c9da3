package cli

import (
	"io"
	"sync"
)

// Control sequences of terminals (ECMA-48).
const (
	eraseLine  = "\x1b[K" // from the cursor to the end of the line
	eraseBelow = "\x1b[J" // from the cursor to the end of the screen
)

// A screen shows one line that moves below lines that stay. After each drawing
// the cursor rests at the start of the line: what a terminal that has become
// narrower has wrapped lies behind it, and so does the ^C that it echoes.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int // of the terminal in columns; nil without one: then no line moves
	red   func(string) string
	line  string // on the screen now
	drawn int    // how wide the terminal was then
}

// show draws v in the place of the line.
func (s *screen) show(v view) {
	if s.width == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	width := s.width()
	line := v.line(width, s.red)
	if line == s.line && width == s.drawn {
		return
	}
	erase := ""
	if width != s.drawn {
		erase = s.erase()
	}
	s.line, s.drawn = line, width
	s.put(erase + line + eraseLine + "\r")
}

// Write writes whole lines above the moving one. It takes them for written:
// there is no better place to complain than the one that failed.
func (s *screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		s.put(string(lines))
	} else {
		s.put(s.erase() + string(lines) + s.line + eraseLine + "\r")
	}
	return len(lines), nil
}

// clear takes the moving line away.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(s.erase())
	s.line = ""
}

// erase takes the line away, and what a terminal that has changed its width
// made of it.
func (s *screen) erase() string {
	switch {
	case s.line == "":
		return ""
	case s.width() != s.drawn:
		return eraseBelow
	}
	return eraseLine
}

// put writes in one piece, so that nothing flickers.
func (s *screen) put(text string) {
	if text != "" {
		_, _ = io.WriteString(s.w, text)
	}
}
