package hist

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// WriteHgrm writes the percentile spectrum of h, whose values are nanoseconds,
// in milliseconds: the text that HdrHistogram's outputPercentileDistribution
// and wrk2 print and that HdrHistogram's plotFiles page reads.
//
// Five percentiles are shown per halving of the distance to 100 %, for as long
// as a value lies above them; then the greatest value, exactly. TotalCount is
// the percentile's [stat.Rank]. An empty histogram has no lines between header
// and footer.
func WriteHgrm(w io.Writer, h *Histogram) error {
	const perHalving = 5
	ms := func(ns float64) float64 { return ns / float64(time.Millisecond) }
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	for i := 0; ; i++ {
		// How far the percentile is from 1: 1, .9, ... .6, .5, .45, ... .3, .25
		left := math.Ldexp(1-float64(i%perHalving)/(2*perHalving), -(i / perHalving))
		if !stat.Enough(1-left, h.Count()) {
			break
		}
		v, _ := h.Quantile(1 - left)
		fmt.Fprintf(b, "%12.6f %14.12f %10d %14.2f\n", ms(float64(v)), 1-left, stat.Rank(1-left, h.Count()), 1/left)
	}
	if h.Count() > 0 {
		fmt.Fprintf(b, "%12.6f %14.12f %10d %14s\n", ms(float64(h.Max())), 1.0, h.Count(), "inf")
	}
	fmt.Fprintf(b, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", ms(h.Mean()), ms(h.StdDev()))
	fmt.Fprintf(b, "#[Max     = %12.3f, Total count    = %12d]\n", ms(float64(h.Max())), h.Count())
	// In HdrHistogram's terms, where the first bucket spans two of our rows.
	fmt.Fprintf(b, "#[Buckets = %12d, SubBuckets     = %12d]\n", len(h.rows)-1-h.bits, 2<<h.bits)
	return b.Flush()
}
