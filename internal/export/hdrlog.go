package export

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/report"
)

// HDRLog writes the response times of the succeeded requests over time as an
// HdrHistogram log, version 1.3. Each interval, even an empty one, is a line: its
// start in seconds since the start of the run, its length in seconds, its longest
// time in milliseconds, and its histogram as [hist.Histogram.HDR] encodes it.
func HDRLog(w io.Writer, d *report.Document) error {
	var intervals []hist.Interval
	if d.Record != nil {
		intervals = d.Record.Series.Intervals()
	}
	seconds := float64(d.StartedAt.UnixMilli()) / 1e3
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "#[Histogram log format version 1.3]")
	fmt.Fprintf(b, "#[StartTime: %.3f (seconds since epoch), %s]\n", seconds, d.StartedAt.UTC().Format(time.RFC3339Nano))
	fmt.Fprintf(b, "#[BaseTime: %.3f (seconds since epoch)]\n", seconds)
	fmt.Fprintln(b, `"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`)
	for _, i := range intervals {
		times, err := i.Response.HDR()
		if err != nil {
			return fmt.Errorf("writing HDR log: interval at %v: %w", i.Start, err)
		}
		fmt.Fprintf(b, "%.3f,%.3f,%.3f,%s\n", i.Start.Seconds(), i.Width.Seconds(), ms(float64(i.Response.Max())), times)
	}
	return b.Flush()
}
