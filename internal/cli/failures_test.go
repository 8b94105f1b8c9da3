package cli

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLimitedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limitedLog{}
		admitted := func(lines int) (n int) {
			for range lines {
				if l.Enabled(context.Background(), slog.LevelWarn) {
					n++
				}
			}
			return n
		}
		assert.Equal(t, logBurst, admitted(logBurst), "a short run logs all")
		assert.Zero(t, l.count())
		assert.Zero(t, admitted(7))
		assert.EqualValues(t, 7, l.count())
		time.Sleep(time.Second)
		assert.Equal(t, logRate, admitted(logRate+3))
		assert.EqualValues(t, 10, l.count())
		time.Sleep(time.Hour)
		assert.Equal(t, logBurst, admitted(2*logBurst), "and not an hour's lines at once")
	})
}
