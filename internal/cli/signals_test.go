package cli

import (
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// interrupted is a session that gets the signals sent to the channel.
func interrupted() (*session, chan os.Signal) {
	r := newTrial()
	return r.open(), r.signals
}

func TestInterruptible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, signals := interrupted()
		var said atomic.Int32
		i := s.interruptible(func() { said.Add(1) })
		synctest.Wait()
		assert.NoError(t, i.ctx.Err())
		signals <- syscall.SIGTERM
		synctest.Wait()
		assert.Error(t, i.ctx.Err(), "nothing more is issued")
		assert.NoError(t, i.cut.Err(), "what is in flight goes on")
		assert.Zero(t, said.Load(), "most drains are over before anybody could read it")
		time.Sleep(blink)
		synctest.Wait()
		assert.EqualValues(t, 1, said.Load())
		time.Sleep(time.Hour)
		assert.Empty(t, s.gaveUp, "the first one has all the time that the report takes")
		signals <- os.Interrupt
		signals <- os.Interrupt
		synctest.Wait()
		assert.Error(t, i.cut.Err())
		time.Sleep(patience - 1)
		assert.Empty(t, s.gaveUp)
		time.Sleep(time.Nanosecond)
		assert.Equal(t, syscall.SIGTERM, <-s.gaveUp, "the first one counts")
		assert.EqualValues(t, 1, said.Load(), "once")
	})
	synctest.Test(t, func(t *testing.T) {
		s, signals := interrupted()
		i := s.interruptible(func() { t.Error("it is over") })
		signals <- os.Interrupt
		signals <- os.Interrupt
		synctest.Wait()
		assert.Equal(t, os.Interrupt, i.end())
		i.release()
		time.Sleep(time.Hour)
		assert.Empty(t, s.gaveUp, "it ended by itself")
	})
	synctest.Test(t, func(t *testing.T) {
		s, signals := interrupted()
		i := s.interruptible(func() { t.Error("it is over") })
		assert.Nil(t, i.end())
		signals <- syscall.SIGHUP
		assert.Equal(t, syscall.SIGHUP, <-s.gaveUp, "once the load is over the first is enough")
	})
}

func TestStatusAfter(t *testing.T) {
	for sig, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		assert.Equal(t, want, statusAfter(sig))
	}
}
