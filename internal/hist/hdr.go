package hist

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// HDR returns what was recorded, in nanoseconds, as the HdrHistogram tools read
// it: a V2 compressed histogram in base64.
//
// It reaches from 1 ns to 1 h with 3 significant digits. No value is left out:
// one above an hour counts as an hour. Each is written as the middle of its
// bucket in h, the least and the greatest as they are.
func (h *Histogram) HDR() (string, error) {
	hdr := hdrhistogram.New(1, int64(time.Hour), 3)
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
		return "", failed
	}
	text, err := hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(text), err
}
