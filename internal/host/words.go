package host

import "time"

// above tells whether d is more than share of whole.
func above(d time.Duration, share float64, whole time.Duration) bool {
	return float64(d) > share*float64(whole)
}

// ratio returns d / whole, 0 for an empty whole.
func ratio(d, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(d) / float64(whole)
}
