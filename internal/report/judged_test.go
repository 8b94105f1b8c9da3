package report

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEstimatesHaveSixDigits(t *testing.T) {
	for in, want := range map[float64]float64{1.23456789: 1.23457, 0.0123456789: 0.0123457, 123456789: 123456789, 0.5: 0.5} {
		assert.Equal(t, want, *Finite(in))
	}
}
