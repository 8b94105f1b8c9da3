// Package export writes documents for other programs.
package export

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/stat"
)

// Hgrm writes the percentile spectrum of the response times of the succeeded requests,
// in milliseconds: the text that HdrHistogram's outputPercentileDistribution and wrk2
// print, and that HdrHistogram's plotFiles page reads.
//
// It shows five percentiles per halving of the distance to 100 %, up to the last with
// a value above it, and then the exact greatest value. TotalCount is the percentile's
// [stat.Rank]. If no request succeeded, there are no lines between header and footer.
func Hgrm(w io.Writer, d *report.Document) error {
	h := hist.New(10)
	if d.Record != nil {
		h = d.Record.Response
	}
	const perHalving = 5
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	for i := 0; ; i++ {
		// The percentile's distance from 1: 1, .9, ... .6, .5, .45, ... .3, .25
		left := math.Ldexp(1-float64(i%perHalving)/(2*perHalving), -(i / perHalving))
		if !stat.Enough(1-left, h.Count()) {
			break
		}
		v, _ := h.Quantile(1 - left)
		fmt.Fprintf(b, "%12.6f %14.12f %10d %14.2f\n", ms(float64(v)), 1-left, stat.Rank(1-left, h.Count()), 1/left)
	}
	longest := ms(float64(h.Max()))
	if h.Count() > 0 {
		fmt.Fprintf(b, "%12.6f %14.12f %10d %14s\n", longest, 1.0, h.Count(), "inf")
	}
	fmt.Fprintf(b, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", ms(h.Mean()), ms(h.StdDev()))
	fmt.Fprintf(b, "#[Max     = %12.3f, Total count    = %12d]\n", longest, h.Count())
	// In HdrHistogram's terms, where the first bucket spans two powers of two.
	fmt.Fprintf(b, "#[Buckets = %12d, SubBuckets     = %12d]\n", 63-h.Bits(), 2<<h.Bits())
	return b.Flush()
}

// ms converts nanoseconds to milliseconds.
func ms(ns float64) float64 { return ns / float64(time.Millisecond) }
