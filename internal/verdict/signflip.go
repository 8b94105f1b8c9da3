package verdict

// mostUnits bounds the time signFlip takes. Chosen: 200 pairs then take under
// 2 ms, and a pair of middling size is still 40 units.
const mostUnits = 8192

// signFlip returns the chance that the differences add up to as much as they do
// when each sign is a fair coin's, and their sizes stay: the p value of "the
// sum is above 0", exact where a coin decided which of the two was subtracted
// from which. It is 1 if none is above 0.
//
// Sizes are counted in units so large that there are at most 8192, which is in
// ones if their sum is small. Rounding them does not make the p value wrong: it
// is exact for the rounded ones too, since a sign has no part in rounding.
//
// Note: drawing some thousand signs at random instead could not show a p value
// below one in so many, and the first looks ask for less than that.
func signFlip(differences []int64) float64 {
	total := int64(0)
	for _, d := range differences {
		total += max(d, -d)
	}
	unit := (total + mostUnits - 1) / mostUnits
	var weights []int
	positive := 0
	for _, d := range differences {
		if d == 0 {
			continue
		}
		w := int((max(d, -d) + unit/2) / unit)
		if w == 0 {
			continue
		}
		weights = append(weights, w)
		if d > 0 {
			positive += w
		}
	}
	return chanceOf(coinSums(weights), positive)
}
