package verdict

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// TooFew says that n requests hardly give a verdict on l, and how many do; "" if they
// may. Where none comes near the limit fewer will do, if they take some seconds; and
// where most are beyond it.
func (l Limit) TooFew(n int64) string {
	if l.Metric != Quantile || n >= needed(l.Q) {
		return ""
	}
	text := fmt.Sprintf("%v needs %s requests to judge", l, unit.Count(needed(l.Q)))
	if n >= neededFar(l.Q) && !l.lower() {
		text += fmt.Sprintf(", or %s of load if none comes near it", unit.Duration(farTime))
	}
	return text
}
