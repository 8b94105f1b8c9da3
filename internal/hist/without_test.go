package hist

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWithout(t *testing.T) {
	all, some, rest := New(10), New(10), New(10)
	for v := range int64(5000) {
		all.Record(v * v)
		if v%3 == 0 {
			some.Record(v * v)
		} else {
			rest.Record(v * v)
		}
	}
	left := all.Without(some)
	assert.Equal(t, rest.Count(), left.Count())
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		want, _ := rest.Quantile(q)
		got, _ := left.Quantile(q)
		assert.InEpsilon(t, want, got, 1.0/1024, "%v", q)
	}
	assert.InEpsilon(t, rest.Mean(), left.Mean(), 1.0/1024)
	assert.Equal(t, int64(5000), all.Count(), "it is not changed")
	assert.Equal(t, all.Max(), all.Without(New(10)).Max(), "exact without exceptions")
	assert.Zero(t, some.Without(all).Count())
	assert.Panics(t, func() { all.Without(func() *Histogram { h := New(9); h.Record(1); return h }()) })
}
