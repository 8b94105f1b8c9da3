package stat

import (
	"math"
	"slices"
)

// A walsh is the means of all pairs of some numbers, each paired with itself too, in
// order (Walsh 1949). It does not store them: of a thousand numbers there are half a
// million.
type walsh struct {
	finite      []float64 // sorted
	least, most int       // how many numbers are -Inf and +Inf
}

func newWalsh(x []float64) walsh {
	var w walsh
	for _, v := range x {
		switch {
		case math.IsInf(v, -1):
			w.least++
		case math.IsInf(v, 1):
			w.most++
		default:
			w.finite = append(w.finite, v)
		}
	}
	slices.Sort(w.finite)
	return w
}

// count returns how many means there are.
func (w *walsh) count() int {
	n := len(w.finite) + w.least + w.most
	return n * (n + 1) / 2
}

// infinite returns how many means of some equal infinities with each other and with
// finite numbers there are.
func (w *walsh) infinite(n int) int { return n*(n+1)/2 + n*len(w.finite) }

// at returns the k-th smallest mean, from 1 to count.
func (w *walsh) at(k int) float64 {
	switch {
	case k <= w.infinite(w.least):
		return math.Inf(-1)
	case k > w.count()-w.infinite(w.most):
		return math.Inf(1)
	case len(w.finite) == 0:
		return 0
	}
	least, most := w.finite[0], w.finite[len(w.finite)-1]
	if w.least*w.most > 0 {
		least, most = min(least, 0), max(most, 0)
	}
	v := Bisect(least, most, func(v float64) bool { n, _ := w.upTo(v); return n >= k })
	_, v = w.upTo(v)
	return v
}

// upTo returns how many means are at most v, which is finite, and the largest of them.
func (w *walsh) upTo(v float64) (n int, largest float64) {
	n, largest = w.infinite(w.least), math.Inf(-1)
	if w.least*w.most > 0 && v >= 0 { // opposite infinities cancel
		n, largest = n+w.least*w.most, 0
	}
	j := len(w.finite) - 1
	for i, x := range w.finite {
		for j >= i && middle(x, w.finite[j]) > v {
			j--
		}
		if j < i {
			break
		}
		n += j - i + 1
		largest = max(largest, middle(x, w.finite[j]))
	}
	return n, largest
}
