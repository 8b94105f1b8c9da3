package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStandard(t *testing.T) {
	s := Standard{Fail: 0.01, Pass: 0.05, Repeated: true}
	assert.Equal(t, Standard{0.005, 0.025, true}, s.Share(0.5))
	assert.Equal(t, Standard{0.0025, 0.05, true}, s.Among(4), "one limit more is one more that may fail, not pass")
	assert.Equal(t, s, s.Among(0))
}

func TestLooks(t *testing.T) {
	check := func(budget time.Duration, at ...time.Duration) {
		t.Helper()
		looks := Looks(budget)
		sum, before := 0.0, 0.0
		var got []time.Duration
		for i, l := range looks {
			got = append(got, l.At)
			if i > 0 {
				assert.InEpsilon(t, 2*before, l.Share, 1e-12)
			}
			before = l.Share
			sum += l.Share
		}
		assert.Equal(t, at, got)
		assert.InDelta(t, 1, sum, 1e-12)
	}
	check(30*time.Second, time.Second, 1875*time.Millisecond, 3750*time.Millisecond, 7500*time.Millisecond, 15*time.Second, 30*time.Second)
	check(8*time.Second, time.Second, 2*time.Second, 4*time.Second, 8*time.Second)
	check(2*time.Second, time.Second, 2*time.Second)
	check(20*time.Second, 1250*time.Millisecond, 2500*time.Millisecond, 5*time.Second, 10*time.Second, 20*time.Second)
	check(2*time.Second-1, time.Second, 2*time.Second-1)
	check(time.Second, time.Second)
	check(100*time.Millisecond, 100*time.Millisecond) // nothing below a second but the end itself
}
