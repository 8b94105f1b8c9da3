package cli

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestScreen(t *testing.T) {
	var b strings.Builder
	columns := 80
	s := &screen{w: &b, width: func() int { return columns }}
	wrote := func() string {
		assert.True(t, s.flush(time.Minute))
		defer b.Reset()
		return b.String()
	}
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
	assert.Equal(t, "\r\x1b[J\r"+v.line(40, nil)+"\x1b[K\r", wrote(), "what was wrapped goes too")
	columns = 30
	s.print("a line\n")
	assert.Equal(t, "\r\x1b[Ja line\n\r"+v.line(30, nil)+"\x1b[K\r", wrote())
	s.clear()
	assert.Equal(t, "\r\x1b[K", wrote(), "nothing stays behind")
	s.clear()
	_, _ = s.Write([]byte("a log line\n"))
	assert.Equal(t, "a log line\n", wrote())

	s.width = nil
	s.show(v)
	s.clear()
	assert.Empty(t, wrote(), "no terminal, no moving line")
	dropped, _ := s.cost()
	assert.Zero(t, dropped)
}

// A gate takes nothing until it is opened.
type gate struct {
	written strings.Builder
	opened  chan struct{}
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.opened
	return g.written.Write(b)
}

// Nothing waits for a terminal that was stopped, and what it is told later is not old.
func TestScreenNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{opened: make(chan struct{})}
		s := &screen{w: g, width: func() int { return 80 }}
		began := time.Now()
		views := []view{{done: 1, total: 9}, {done: 2, total: 9}, {done: 3, total: 9}}
		s.show(views[0])
		synctest.Wait()
		s.show(views[1])
		s.show(views[2])
		logged := []byte(strings.Repeat("x", 1<<10-1) + "\n")
		for range maxQueued/len(logged) + 5 {
			n, err := s.Write(logged)
			assert.NoError(t, err)
			assert.Equal(t, len(logged), n)
		}
		s.print("an answer\n")
		assert.Zero(t, time.Since(began))
		dropped, _ := s.cost()
		assert.EqualValues(t, 5, dropped)

		time.Sleep(300 * time.Millisecond)
		close(g.opened)
		assert.True(t, s.flush(patience))
		dropped, took := s.cost()
		assert.EqualValues(t, 5, dropped)
		assert.Equal(t, 300*time.Millisecond, took)
		wrote := g.written.String()
		assert.Contains(t, wrote, views[0].line(80, nil))
		assert.NotContains(t, wrote, views[1].line(80, nil))
		assert.Equal(t, maxQueued/len(logged), strings.Count(wrote, "x\n"))
		assert.True(t, strings.HasSuffix(wrote, "an answer\n\r"+views[2].line(80, nil)+"\x1b[K\r"), "the rest is there, with the latest view")
	})
}

// The end of a session waits for a moment, and not once more.
func TestScreenFlushGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{opened: make(chan struct{})}
		s := &screen{w: g}
		assert.True(t, s.flush(patience), "there is nothing to write")
		s.print("one\n")
		time.Sleep(patience / 3)
		_, _ = s.Write([]byte("two\nthree\n"))
		began := time.Now()
		assert.False(t, s.flush(patience))
		assert.Equal(t, patience, patience/3+time.Since(began))
		s.print("four\n")
		assert.False(t, s.flush(patience))
		assert.Equal(t, patience, patience/3+time.Since(began), "it has had its time")
		dropped, took := s.cost()
		assert.EqualValues(t, 4, dropped)
		assert.Equal(t, patience, took)

		close(g.opened)
		synctest.Wait()
		_, _ = s.Write([]byte("five\n"))
		assert.True(t, s.flush(patience), "it takes what comes later")
		assert.Equal(t, "one\nfive\n", g.written.String())
	})
}
