package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

const (
	// binCount is the number of rows of a histogram, as hey has them.
	binCount = 11
	// leastBinned is the number of response times below which single ones would
	// make the shape.
	leastBinned = 20
	// longestBar is the length of a bar in columns: the histogram fits 80.
	longestBar = 50
)

// A bin is the number of times up to its end that are longer than those of the bin
// before it.
type bin struct {
	end   int64 // ns
	count int64
}

// histogram writes how many of the succeeded requests took how long.
func (p *page) histogram() {
	r := p.d.Record
	if r == nil || r.Response.Count() < leastBinned || p.s.Brief {
		return
	}
	all := bins(r.Response)
	most := int64(0)
	for _, b := range all {
		most = max(most, b.count)
	}
	digits := len(strconv.FormatInt(most, 10))
	room := min(longestBar, p.width()-len("  <= ")-valueWidth-2-digits-2)
	var rows []string
	for _, b := range all {
		bar := ""
		if b.count > 0 {
			bar = strings.Repeat("■", max(1, int(math.Round(float64(b.count)/float64(most)*float64(room)))))
		}
		row := fmt.Sprintf("<= %*s  %*d  %s", valueWidth-1, unit.Duration(time.Duration(b.end)), digits, b.count, bar)
		rows = append(rows, strings.TrimRight(row, " "))
	}
	p.block("Histogram:", rows)
}

// bins divides times into bins. All except the last have the same width and end at
// the p99, and the last has the rest, so that a few outliers do not squeeze all others
// into one bin. Where there are too few times for a p99, all have the same width.
func bins(h *hist.Histogram) []bin {
	low, top, n := h.Max(), h.Max(), binCount
	for v := range h.Buckets() {
		low = v // where the times of the first bucket count as being
		break
	}
	if stat.Enough(0.99, h.Count()) {
		top, _ = h.Quantile(0.99)
		n--
	}
	if low == top {
		n = 1
	}
	width := float64(top-low) / float64(n)
	all := make([]bin, n, binCount)
	for i := range all {
		all[i].end = low + int64(math.Round(width*float64(i+1)))
	}
	if top < h.Max() {
		all = append(all, bin{end: h.Max()})
	}
	at := 0
	for v, count := range h.Buckets() {
		for v > all[at].end && at < len(all)-1 {
			at++
		}
		all[at].count += count
	}
	return all
}
