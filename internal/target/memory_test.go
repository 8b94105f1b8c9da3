package target

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"
)

// conns returns the two ends of a connection, which ends with the test.
func conns(t testing.TB) (c, s *memoryConn) {
	lo := net.IPv4(127, 0, 0, 1)
	c, s = newMemoryConns(&net.TCPAddr{IP: lo, Port: 1}, &net.TCPAddr{IP: lo, Port: 2})
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, s
}

func TestMemoryConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c, s := newMemoryConns(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		return c, s, func() { c.Close(); s.Close() }, nil
	})
}

// Octets come out as they went in, however they are cut into pieces.
func TestMemoryConnKeepsOrder(t *testing.T) {
	for _, most := range []int{3, smallRing, smallRing + 1, 3 * smallRing, largeRing, 3 * largeRing} {
		c, s := conns(t)
		const octets = 1 << 20
		piece := func(r *rand.Rand) int { return 1 + r.IntN(most) }
		go func() {
			r := rand.New(rand.NewPCG(1, uint64(most)))
			b := make([]byte, most)
			for sent := 0; sent < octets; {
				n := min(piece(r), octets-sent)
				for i := range b[:n] {
					b[i] = byte((sent + i) % 251)
				}
				m, err := c.Write(b[:n])
				assert.NoError(t, err)
				assert.Equal(t, n, m)
				sent += n
			}
			c.Close()
		}()
		r := rand.New(rand.NewPCG(2, uint64(most)))
		b := make([]byte, most)
		got := 0
		for {
			n, err := s.Read(b[:piece(r)])
			for i := range b[:n] {
				if b[i] != byte((got+i)%251) {
					t.Fatalf("octet %d in pieces of at most %d: got %d, want %d", got+i, most, b[i], (got+i)%251)
				}
			}
			if got += n; err != nil {
				require.Equal(t, io.EOF, err)
				break
			}
		}
		assert.Equal(t, octets, got)
	}
}

func TestMemoryConnWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := conns(t)
		var wrote int
		var err error
		go func() { wrote, err = c.Write(make([]byte, largeRing+2)) }()
		synctest.Wait()
		assert.Zero(t, wrote, "still waiting")
		n, open := s.Pending()
		assert.Equal(t, largeRing, n, "no more is held")
		assert.True(t, open)
		for range 2 {
			n, err := s.Read(make([]byte, 1))
			assert.Equal(t, 1, n)
			assert.NoError(t, err)
			synctest.Wait()
		}
		assert.Equal(t, largeRing+2, wrote)
		assert.NoError(t, err)
	})
}

// A write that waits for another one is durably blocked.
func TestMemoryConnWritesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := conns(t)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		began := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := c.Write(make([]byte, largeRing+1))
				timedOut(t, err, "write")
			})
		}
		wg.Wait()
		assert.Equal(t, time.Second, time.Since(began))
	})
	synctest.Test(t, func(t *testing.T) {
		c, s := conns(t)
		var wg sync.WaitGroup
		for _, octet := range []byte("ab") {
			wg.Go(func() {
				_, err := c.Write(bytes.Repeat([]byte{octet}, 2*largeRing))
				assert.NoError(t, err)
			})
		}
		got := make([]byte, 4*largeRing)
		_, err := io.ReadFull(s, got)
		require.NoError(t, err)
		wg.Wait()
		first, second := got[:2*largeRing], got[2*largeRing:]
		assert.Equal(t, 2*largeRing, bytes.Count(first, first[:1]), "nothing comes in between")
		assert.Equal(t, 2*largeRing, bytes.Count(second, second[:1]))
	})
}

// An empty connection has returned its large ring.
func TestMemoryConnHoldsLittle(t *testing.T) {
	c, s := conns(t)
	assert.Nil(t, c.out.ring(), "nothing before it is used")
	read := func(n int) {
		_, err := io.ReadFull(s, make([]byte, n))
		require.NoError(t, err)
	}
	c.Write(make([]byte, smallRing))
	assert.Len(t, c.out.ring(), smallRing)
	c.Write([]byte("x"))
	assert.Len(t, c.out.ring(), largeRing)
	read(smallRing)
	assert.Len(t, c.out.ring(), largeRing)
	read(1)
	assert.Len(t, c.out.ring(), smallRing)
	c.Write(make([]byte, 2*smallRing))
	s.Close()
	assert.Nil(t, c.out.ring(), "it will not be read")
}

// timedOut checks that err is the error of a socket after its deadline.
func timedOut(t *testing.T, err error, op string) {
	t.Helper()
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var ne net.Error
	if assert.ErrorAs(t, err, &ne) {
		assert.True(t, ne.Timeout())
	}
	assert.Equal(t, op+" memory 127.0.0.1:1->127.0.0.1:2: i/o timeout", err.Error())
}

func TestMemoryConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := conns(t)
		began := time.Now()
		elapsed := func() time.Duration { return time.Since(began) }
		b := make([]byte, 1)

		c.SetReadDeadline(time.Now().Add(time.Second))
		_, err := c.Read(b)
		timedOut(t, err, "read")
		assert.Equal(t, time.Second, elapsed(), "no sooner, no later")
		s.Write([]byte("x"))
		_, err = c.Read(b)
		timedOut(t, err, "read") // though there is something to read
		c.SetReadDeadline(time.Time{})
		n, err := c.Read(b)
		assert.NoError(t, err, "cleared")
		assert.Equal(t, 1, n)

		// One that was changed has no effect at its old time.
		c.SetReadDeadline(time.Now().Add(time.Second))
		go func() {
			time.Sleep(time.Second / 2)
			c.SetReadDeadline(time.Now().Add(2 * time.Second))
		}()
		_, err = c.Read(b)
		timedOut(t, err, "read")
		assert.Equal(t, 3500*time.Millisecond, elapsed())

		// Nor has a timer that fires while its deadline is changed.
		c.SetReadDeadline(time.Now().Add(time.Second))
		c.in.expire(&c.in.reader)
		_, err = c.Read(b)
		timedOut(t, err, "read")
		assert.Equal(t, 4500*time.Millisecond, elapsed())

		// One that was cleared has no effect, and one in the past an immediate one.
		c.SetDeadline(time.Now().Add(time.Second))
		c.SetDeadline(time.Time{})
		go func() { time.Sleep(time.Minute); c.SetDeadline(time.Unix(1, 0)) }()
		_, err = c.Read(b)
		timedOut(t, err, "read")
		assert.Equal(t, time.Minute+4500*time.Millisecond, elapsed())

		_, err = c.Write(b)
		timedOut(t, err, "write")
		c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err = c.Write(make([]byte, 2*largeRing))
		timedOut(t, err, "write")
		assert.Equal(t, largeRing, n, "as much as there was room for")
		_, err = c.Read(b)
		timedOut(t, err, "read")
	})
}

// Connections end as those over TCP on Linux do.
func TestMemoryConnEnds(t *testing.T) {
	b := make([]byte, 100)
	readFails := func(t *testing.T, c net.Conn, want error) {
		t.Helper()
		n, err := c.Read(b)
		assert.Zero(t, n)
		assert.ErrorIs(t, err, want)
	}
	writeFails := func(t *testing.T, c net.Conn, want error) {
		t.Helper()
		n, err := c.Write([]byte("x"))
		assert.Zero(t, n)
		assert.ErrorIs(t, err, want)
	}
	reads := func(t *testing.T, c net.Conn, want string) {
		t.Helper()
		n, err := c.Read(b)
		assert.NoError(t, err)
		assert.Equal(t, want, string(b[:n]))
	}
	writes := func(t *testing.T, c net.Conn, s string) {
		t.Helper()
		n, err := io.WriteString(c, s)
		assert.NoError(t, err)
		assert.Equal(t, len(s), n)
	}
	for name, test := range map[string]func(t *testing.T, c, s *memoryConn){
		"closed by the peer": func(t *testing.T, c, s *memoryConn) {
			writes(t, s, "last words")
			s.Close()
			reads(t, c, "last words")
			n, err := c.Read(b)
			assert.Zero(t, n)
			assert.Equal(t, io.EOF, err, "as it is, not wrapped")
			writes(t, c, "lost")
			writeFails(t, c, syscall.EPIPE)
			readFails(t, c, io.EOF)
		},
		"closed by the peer while much is written": func(t *testing.T, c, s *memoryConn) {
			s.Close()
			n, err := c.Write(make([]byte, 3*largeRing))
			assert.Equal(t, largeRing, n, "what a socket would have taken")
			assert.ErrorIs(t, err, syscall.EPIPE)
		},
		"closed by the peer with something unread": func(t *testing.T, c, s *memoryConn) {
			writes(t, c, "unread")
			writes(t, s, "last words")
			s.Close()
			_, open := c.Pending()
			assert.False(t, open)
			writeFails(t, c, syscall.ECONNRESET)
			reads(t, c, "last words")
			readFails(t, c, syscall.ECONNRESET)
			readFails(t, c, syscall.ECONNRESET)
		},
		"half closed by the peer": func(t *testing.T, c, s *memoryConn) {
			writes(t, s, "last words")
			assert.NoError(t, s.CloseWrite())
			writeFails(t, s, syscall.EPIPE)
			reads(t, c, "last words")
			readFails(t, c, io.EOF)
			_, open := c.Pending()
			assert.False(t, open)
			writes(t, c, "well")
			reads(t, s, "well")
			writes(t, c, "unread")
			s.Close()
			readFails(t, c, io.EOF)
			writeFails(t, c, syscall.EPIPE)
		},
		"closed here": func(t *testing.T, c, s *memoryConn) {
			writes(t, s, "unread")
			assert.NoError(t, c.Close())
			readFails(t, c, net.ErrClosed)
			writeFails(t, c, net.ErrClosed)
			for _, err := range []error{
				c.Close(), c.CloseWrite(), c.SetDeadline(time.Time{}), c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}),
			} {
				assert.ErrorIs(t, err, net.ErrClosed)
			}
			n, open := c.Pending()
			assert.Zero(t, n)
			assert.False(t, open)
			readFails(t, s, syscall.ECONNRESET)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := conns(t)
			test(t, c, s)
		})
	}
}

// The end of a connection ends the calls that wait.
func TestMemoryConnEndsCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := func(want error, why string, wait func(c net.Conn) error, end func(c, peer *memoryConn) error) {
			t.Helper()
			c, peer := conns(t)
			waited := make(chan error, 1)
			go func() { waited <- wait(c) }()
			synctest.Wait()
			assert.Empty(t, waited)
			assert.NoError(t, end(c, peer))
			synctest.Wait()
			if assert.Len(t, waited, 1, why) {
				assert.ErrorIs(t, <-waited, want, why)
			}
		}
		read := func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }
		write := func(c net.Conn) error { _, err := c.Write(make([]byte, 2*largeRing)); return err }
		past := time.Unix(1, 0)
		check(io.EOF, "the peer closes", read, func(_, peer *memoryConn) error { return peer.Close() })
		check(io.EOF, "half of it", read, func(_, peer *memoryConn) error { return peer.CloseWrite() })
		check(net.ErrClosed, "closed here", read, func(c, _ *memoryConn) error { return c.Close() })
		check(os.ErrDeadlineExceeded, "not any more", read, func(c, _ *memoryConn) error { return c.SetReadDeadline(past) })
		check(syscall.ECONNRESET, "the peer closes", write, func(_, peer *memoryConn) error { return peer.Close() })
		check(syscall.EPIPE, "half of it here", write, func(c, _ *memoryConn) error { return c.CloseWrite() })
		check(net.ErrClosed, "closed here", write, func(c, _ *memoryConn) error { return c.Close() })
		check(os.ErrDeadlineExceeded, "not any more", write, func(c, _ *memoryConn) error { return c.SetWriteDeadline(past) })
	})
}

func TestMemoryConnAllocatesNothing(t *testing.T) {
	c, s := conns(t)
	check := func(why string, f func()) {
		t.Helper()
		assert.Zero(t, testing.AllocsPerRun(100, f), why)
	}
	b := make([]byte, smallRing)
	check("writing and reading", func() {
		c.Write(b)
		s.Read(b)
	})
	check("what net/http does once a request", func() {
		s.SetReadDeadline(time.Unix(1, 0))
		if _, err := s.Read(b); err == nil {
			t.Error("the deadline had passed")
		}
		s.SetReadDeadline(time.Time{})
	})
	check("a deadline to come", func() {
		s.SetDeadline(time.Now().Add(time.Hour))
		s.SetDeadline(time.Time{})
	})
}

func TestMemoryListener(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1025}
	l := newMemoryListener(addr)
	assert.Equal(t, addr, l.Addr())
	seen := map[string]bool{}
	for range 1<<16 - 1024 - 1 {
		seen[l.nextClient().String()] = true
	}
	assert.Len(t, seen, 1<<16-1024-1, "each has an address of its own")
	assert.NotContains(t, seen, addr.String(), "which is not the server's")

	accepted := make(chan net.Conn)
	go func() { c, _ := l.Accept(); accepted <- c }()
	c, err := l.dial(t.Context())
	require.NoError(t, err)
	s := <-accepted
	assert.Equal(t, "127.0.0.1:1024", c.LocalAddr().String(), "no more are left")
	assert.Equal(t, c.LocalAddr(), s.RemoteAddr())
	assert.Equal(t, addr, s.LocalAddr())
	assert.Equal(t, addr, c.RemoteAddr())

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = l.dial(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "no server accepts")
	go func() { c, _ := l.Accept(); accepted <- c }()
	for range 1000 {
		_, err = l.dial(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "even if a server accepts")
		runtime.Gosched()
	}
	_, err = l.dial(t.Context())
	require.NoError(t, err)
	<-accepted
	refused := make(chan error)
	go func() { _, err := l.dial(t.Context()); refused <- err }()
	runtime.Gosched()
	assert.NoError(t, l.Close())
	assert.ErrorIs(t, <-refused, syscall.ECONNREFUSED, "waited or not")
	_, err = l.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.NoError(t, l.Close())
}

// BenchmarkMemoryConn sends a number of octets back and forth.
func BenchmarkMemoryConn(b *testing.B) {
	for name, octets := range map[string]int{"200B": 200, "4KiB": 4 << 10, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			c, s := conns(b)
			go io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{s}, make([]byte, 32<<10))
			b.SetBytes(2 * int64(octets))
			b.ReportAllocs()
			out, in := make([]byte, octets), make([]byte, 64<<10)
			for b.Loop() {
				go c.Write(out)
				for got := 0; got < octets; {
					n, err := c.Read(in)
					require.NoError(b, err)
					got += n
				}
			}
		})
	}
}
