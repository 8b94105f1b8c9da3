package text

import (
	"math"
	"strings"
)

// SparkWidth is the greatest length of a sparkline: half the intervals of a run.
const SparkWidth = 64

// leastSpark is its greatest length on a page that is too narrow for it.
const leastSpark = 16

// Sparkline draws one bar for each value, from 0 to the greatest; a NaN is blank.
func Sparkline(values []float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	top := peak(values)
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case top == 0:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(bars[int(math.Round(v/top*float64(len(bars)-1)))])
		}
	}
	return b.String()
}

// peak returns the greatest value, ignoring NaNs; 0 if there is none.
func peak(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		if v > top {
			top = v
		}
	}
	return top
}
