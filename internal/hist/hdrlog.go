package hist

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// WriteHDRLog writes the response times of a run as an HdrHistogram log,
// version 1.3, one line per interval, empty ones included: seconds from start
// to the interval, its length in seconds, its greatest time in milliseconds,
// and a V2 compressed histogram of nanoseconds. A tag other than "" marks every
// line, to keep several runs apart in one log; it holds no comma and no space.
//
// Those histograms reach from 1 ns to 1 h with 3 significant digits. No time is
// left out: one above an hour counts as an hour in them (the line's greatest
// time stays true). Each is written as the middle of its bucket in
// [Interval.Response], the least and the greatest as they are.
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

// HDR returns what was recorded as a V2 compressed histogram in base64, as one
// line of [WriteHDRLog] has it.
func (h *Histogram) HDR() (string, error) {
	payload, err := encode(newHDR(), h)
	return string(payload), err
}

// newHDR returns a histogram from 1 ns to 1 h with 3 significant digits.
func newHDR() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(time.Hour), 3) }

// encode returns h in base64, by way of hdr, whose content it replaces.
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
		// One value of the first bucket is known exactly, and one of the last.
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
