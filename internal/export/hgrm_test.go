package export

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/stat"
)

func TestHgrm(t *testing.T) {
	var times []time.Duration
	for n := range 20 {
		times = append(times, time.Duration(n+1)*time.Millisecond)
	}
	// Of twenty values, the last percentile with one above it is 95. Values except the
	// greatest are the middle of their bucket: 2 ms lies in the 1024 ns from 1953*1024.
	assert.Equal(t, `       Value     Percentile TotalCount 1/(1-Percentile)

    1.000000 0.000000000000          1           1.00
    2.000384 0.100000000000          2           1.11
    4.000768 0.200000000000          4           1.25
    5.998592 0.300000000000          6           1.43
    8.001536 0.400000000000          8           1.67
    9.998336 0.500000000000         10           2.00
   10.997760 0.550000000000         11           2.22
   11.997184 0.600000000000         12           2.50
   12.996608 0.650000000000         13           2.86
   13.996032 0.700000000000         14           3.33
   15.003648 0.750000000000         15           4.00
   16.003072 0.775000000000         16           4.44
   16.003072 0.800000000000         16           5.00
   16.998400 0.825000000000         17           5.71
   16.998400 0.850000000000         17           6.67
   17.997824 0.875000000000         18           8.00
   17.997824 0.887500000000         18           8.89
   17.997824 0.900000000000         18          10.00
   18.997248 0.912500000000         19          11.43
   18.997248 0.925000000000         19          13.33
   18.997248 0.937500000000         19          16.00
   18.997248 0.943750000000         19          17.78
   18.997248 0.950000000000         19          20.00
   20.000000 1.000000000000         20            inf
#[Mean    =       10.500, StdDeviation   =        5.766]
#[Max     =       20.000, Total count    =           20]
#[Buckets =           53, SubBuckets     =         2048]
`, written(t, Hgrm, document(times...)))
}

func TestHgrmOfOne(t *testing.T) {
	assert.Contains(t, written(t, Hgrm, document(1_234_567)), "\n    1.234567 1.000000000000          1            inf\n")
}

// plotFiles reads each line that has four words, of which the first and the last are
// numbers, and does not begin with #: they are y and x of a point.
func TestHgrmForPlotFiles(t *testing.T) {
	times := latencies(100_000)
	text := written(t, Hgrm, document(times...))
	slices.Sort(times)
	points, lastX, lastY := 0, 0.0, 0.0
	for line := range strings.SplitSeq(text, "\n") {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(words) != 4 || words[3] == "inf" {
			continue
		}
		y, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			continue // the header
		}
		p, err := strconv.ParseFloat(words[1], 64)
		require.NoError(t, err)
		x, err := strconv.ParseFloat(words[3], 64)
		require.NoError(t, err)
		require.Greater(t, x, lastX)
		require.GreaterOrEqual(t, y, lastY)
		require.InEpsilon(t, float64(times[stat.Rank(p, 100_000)-1])/1e6, y, 0.0005)
		points, lastX, lastY = points+1, x, y
	}
	assert.Equal(t, 84, points, "five for each halving down to one of 100,000")
	assert.LessOrEqual(t, lastX, 100_000.0)
}
