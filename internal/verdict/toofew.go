package verdict

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// TooFew says that n requests cannot give a verdict on l, whatever comes of them, and
// how many can; "" if they may.
func (l Limit) TooFew(n int64) string {
	if l.Metric != Quantile || n >= needed(l.Q) {
		return ""
	}
	return fmt.Sprintf("%v needs %s requests to judge", l, unit.Count(needed(l.Q)))
}
