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

func TestInterruptible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 4)
		var said atomic.Int32
		i := interruptible(signals, func() { said.Add(1) })
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
		signals <- os.Interrupt
		signals <- os.Interrupt
		synctest.Wait()
		assert.Error(t, i.cut.Err())
		time.Sleep(time.Hour)
		assert.EqualValues(t, 1, said.Load(), "once")
		assert.Equal(t, syscall.SIGTERM, i.end(), "the first one counts")
	})
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 4)
		i := interruptible(signals, func() { t.Error("it is over") })
		signals <- os.Interrupt
		signals <- os.Interrupt
		time.Sleep(time.Hour)
		assert.Equal(t, os.Interrupt, i.end())
	})
	synctest.Test(t, func(t *testing.T) {
		i := interruptible(nil, nil)
		assert.Nil(t, i.end())
	})
}

func TestStatusAfter(t *testing.T) {
	for sig, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		assert.Equal(t, want, statusAfter(sig))
	}
}
