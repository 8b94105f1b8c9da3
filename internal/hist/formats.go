package hist

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// WriteHDRLog writes the response times of a run as an HdrHistogram log, version
// 1.3, with one line per interval, including empty ones: seconds from start to
// the interval, its length in seconds, its maximum in milliseconds, and a V2
// compressed histogram of nanoseconds. If tag is not "", it is written on every
// line, to distinguish several runs in one log; it must not contain commas or
// white space.
//
// The histograms range from 1 ns to 1 h with 3 significant digits. A time above
// an hour counts as an hour in them; the maximum on the line is exact. Each time
// is written as the middle of its bucket in [Interval.Response], except the
// minimum and the maximum, which are exact.
func WriteHDRLog(w io.Writer, start time.Time, tag string, intervals []Interval) error {
	if strings.ContainsAny(tag, ", \t\r\n") {
		return fmt.Errorf("writing HDR log: tag %q holds a comma or a space", tag)
	}
	if tag != "" {
		tag = "Tag=" + tag + ","
	}
	seconds := float64(start.UnixMilli()) / 1e3
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "#[Histogram log format version 1.3]")
	fmt.Fprintf(b, "#[StartTime: %.3f (seconds since epoch), %s]\n", seconds, start.UTC().Format(time.RFC3339Nano))
	fmt.Fprintf(b, "#[BaseTime: %.3f (seconds since epoch)]\n", seconds)
	fmt.Fprintln(b, `"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`)
	hdr := newHDR()
	for _, v := range intervals {
		payload, err := encode(hdr, v.Response)
		if err != nil {
			return fmt.Errorf("writing HDR log: interval at %v: %w", v.Start, err)
		}
		fmt.Fprintf(b, "%s%.3f,%.3f,%.3f,%s\n", tag, v.Start.Seconds(), v.Width.Seconds(),
			float64(v.Response.Max())/float64(time.Millisecond), payload)
	}
	return b.Flush()
}

// HDR returns h as a V2 compressed histogram in base64, as in the lines of
// [WriteHDRLog].
func (h *Histogram) HDR() (string, error) {
	payload, err := encode(newHDR(), h)
	return string(payload), err
}

// newHDR returns a histogram from 1 ns to 1 h with 3 significant digits.
func newHDR() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(time.Hour), 3) }

// encode returns h in base64. It replaces the content of hdr.
func encode(hdr *hdrhistogram.Histogram, h *Histogram) ([]byte, error) {
	hdr.Reset()
	var failed error
	record := func(v, n int64) {
		if err := hdr.RecordValues(min(v, int64(time.Hour)), n); err != nil {
			failed = err
		}
	}
	left := h.Count()
	for v, n := range h.Buckets() {
		// One value in the first bucket is known exactly, and one in the last.
		if left == h.Count() {
			record(h.Min(), 1)
			left, n = left-1, n-1
		}
		if left == n && n > 0 {
			record(h.Max(), 1)
			left, n = left-1, n-1
		}
		record(v, n)
		left -= n
	}
	if failed != nil {
		return nil, failed
	}
	return hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// WriteHgrm writes the percentile spectrum of h, which counts nanoseconds, in
// milliseconds. HdrHistogram's outputPercentileDistribution and wrk2 print the
// same text, and HdrHistogram's plotFiles page reads it.
//
// There are five percentiles for each halving of the distance to 100 %, as long
// as a value lies above them, and then the exact maximum. TotalCount is the
// percentile's [stat.Rank]. An empty histogram has no lines between header and
// footer.
func WriteHgrm(w io.Writer, h *Histogram) error {
	const perHalving = 5
	ms := func(ns float64) float64 { return ns / float64(time.Millisecond) }
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	for i := 0; ; i++ {
		// The distance of the percentile from 1: 1, .9, ... .6, .5, .45, ... .3, .25
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
	// As HdrHistogram counts: its first bucket spans two of our rows.
	fmt.Fprintf(b, "#[Buckets = %12d, SubBuckets     = %12d]\n", len(h.rows)-1-h.bits, 2<<h.bits)
	return b.Flush()
}
