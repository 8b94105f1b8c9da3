package wire

import "fmt"

// spareFiles is how many file descriptors a run needs besides those of its permits:
// standard streams, the poller, the output file, /proc and a few more.
const spareFiles = 64

// CheckFiles returns an error if the process may not open as many file descriptors
// as a run with the given number of permits may need. ends is how many ends of the
// connections of each permit are in this process.
func CheckFiles(permits, ends int) error {
	need := int64(permits)*int64(ends) + spareFiles
	limit, ok := fileLimit()
	if !ok || need <= limit {
		return nil
	}
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
	return int(max(1, min(int64(n), (limit-spareFiles)/int64(ends))))
}
