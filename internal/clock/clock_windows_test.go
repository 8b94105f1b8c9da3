package clock

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDuration(t *testing.T) {
	const mega = 10_000_000
	assert.Equal(t, 100*time.Nanosecond, duration(1, mega))
	assert.Equal(t, -100*time.Nanosecond, duration(-1, mega))
	assert.Equal(t, 1000*time.Hour+100*time.Nanosecond, duration(1000*3600*mega+1, mega), "no overflow after 15 minutes")
	assert.Equal(t, 279*time.Nanosecond, duration(1, 3_579_545))
	assert.Equal(t, time.Duration(math.MaxInt64), duration(math.MaxInt64, 1_000_000_000))
}
