package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

const (
	// mixDifference is by how much the share of a status may differ between two
	// targets whose times are compared: what one response in a hundred is cannot
	// move a median.
	mixDifference = 0.01
	// mixDeviations is how many standard deviations apart two shares are that do
	// not differ by chance.
	mixDeviations = 4
)

// MixesDiffer says why the response times of two targets cannot be compared: their
// responses have other statuses. It returns "" if the statuses are the same, apart
// from chance.
func MixesDiffer(base, head *record.Record) string {
	if len(base.Statuses) == 0 || len(head.Statuses) == 0 { // nothing was complete, or it is a Go function
		return ""
	}
	a, b := float64(base.Completed()), float64(head.Completed())
	differ := func(status int) bool {
		x, y := float64(base.Statuses[status]), float64(head.Statuses[status])
		p := (x + y) / (a + b)
		chance := mixDeviations * math.Sqrt(p*(1-p)*(1/a+1/b))
		return math.Abs(x/a-y/b) > max(mixDifference, chance)
	}
	all := slices.Concat(slices.Collect(maps.Keys(base.Statuses)), slices.Collect(maps.Keys(head.Statuses)))
	if !slices.ContainsFunc(all, differ) {
		return ""
	}
	return fmt.Sprintf("the statuses differ: base: %s; head: %s", mix(base), mix(head))
}

// mix lists the statuses of r with their shares, the most frequent first.
func mix(r *record.Record) string {
	statuses := slices.Collect(maps.Keys(r.Statuses))
	slices.SortFunc(statuses, func(a, b int) int {
		return cmp.Or(cmp.Compare(r.Statuses[b], r.Statuses[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, status := range statuses {
		if len(parts) == maxCauses {
			parts = append(parts, "...")
			break
		}
		share := strings.Replace(unit.Percent(ratio(r.Statuses[status], r.Completed())), ".0%", "%", 1)
		parts = append(parts, fmt.Sprintf("%s (%s)", unit.Status(status), share))
	}
	return strings.Join(parts, ", ")
}
