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
		assert.Equal(t, logRate, admitted(logRate), "a short run logs all")
		assert.Zero(t, l.count())
		assert.Zero(t, admitted(7))
		assert.EqualValues(t, 7, l.count())
		time.Sleep(time.Second / 2)
		assert.Equal(t, logRate/2, admitted(logRate/2+3))
		assert.EqualValues(t, 10, l.count())
		time.Sleep(time.Hour)
		assert.Equal(t, logRate, admitted(2*logRate), "and not an hour's lines at once")
	})
}
