package wire

import "fmt"

// spareFiles is how many file descriptors a run may need besides those of its permits:
// standard streams, the poller, the output file, /proc and a few more.
const spareFiles = 64

// leastSpareFiles is how many it needs in any case.
const leastSpareFiles = 16

// spare returns how many of limit file descriptors are not for permits: half of them
// where there are few.
func spare(limit int64) int64 { return max(leastSpareFiles, min(spareFiles, limit/2)) }

// CheckFiles returns an error if the process may not open as many file descriptors
// as a run with the given number of permits may need. ends is how many ends of the
// connections of each permit are in this process.
func CheckFiles(permits, ends int) error {
	of := int64(permits) * int64(ends)
	limit, ok := fileLimit()
	if !ok || of+spare(limit) <= limit {
		return nil
	}
	need := of + spareFiles
	return fmt.Errorf("concurrency %d needs %d file descriptors and this process may open %d: raise the limit (ulimit -n %d) or lower the concurrency",
		permits, need, limit, need)
}

// FitFiles returns the most permits, n at most and 1 at least, that have enough file
// descriptors in the sense of [CheckFiles].
func FitFiles(n, ends int) int {
	limit, ok := fileLimit()
	if !ok {
		return n
	}
	return int(max(1, min(int64(n), (limit-spare(limit))/int64(ends))))
}
