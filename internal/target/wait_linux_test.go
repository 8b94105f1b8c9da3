package target

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAlarmTurnsToAnEarlierNap(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range 3 {
		wg.Go(func() { assert.ErrorIs(t, Sleep(ctx, time.Hour), context.Canceled) })
	}
	for asleep := 0; asleep < 3; runtime.Gosched() {
		sleepers.mu.Lock()
		asleep = len(sleepers.naps)
		sleepers.mu.Unlock()
	}
	// If the alarm stuck to its first nap, this would last an hour.
	assert.NoError(t, Sleep(t.Context(), ms))
}

func TestAlarmGivesItsTimerBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would close lost files
	goroutines, files := runtime.NumGoroutine(), openFiles()
	for range 20 {
		assert.NoError(t, Sleep(t.Context(), time.Microsecond))
	}
	assert.NoError(t, checkLeaks(goroutines, files))
}
