package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScreen(t *testing.T) {
	var b strings.Builder
	columns := 80
	s := &screen{w: &b, width: func() int { return columns }}
	wrote := func() string { defer b.Reset(); return b.String() }
	v := view{done: 5, total: 10, left: -1}
	line := v.line(80, nil)

	s.show(v)
	assert.Equal(t, "\r"+line+"\x1b[K\r", wrote(), "in one piece, and back to the start of the line")
	s.show(v)
	assert.Empty(t, wrote(), "nothing changed, nothing flickers")
	v.done = 6
	line = v.line(80, nil)
	s.show(v)
	assert.Equal(t, "\r"+line+"\x1b[K\r", wrote(), "drawn over the old one, not after erasing it")
	_, _ = s.Write([]byte("a log line\n"))
	assert.Equal(t, "\r\x1b[Ka log line\n\r"+line+"\x1b[K\r", wrote(), "the line moves below")

	columns = 40
	s.show(v)
	assert.Equal(t, "\r\x1b[J"+v.line(40, nil)+"\x1b[K\r", wrote(), "what was wrapped goes too")
	columns = 30
	_, _ = s.Write([]byte("a log line\n"))
	assert.Equal(t, "\r\x1b[Ja log line\n\r"+v.line(30, nil)+"\x1b[K\r", wrote())
	s.clear()
	assert.Equal(t, "\r\x1b[K", wrote(), "nothing stays behind")
	s.clear()
	_, _ = s.Write([]byte("a log line\n"))
	assert.Equal(t, "a log line\n", wrote())

	s.width = nil
	s.show(v)
	s.clear()
	assert.Empty(t, wrote(), "no terminal, no moving line")
}
