package stat

// Random returns the number at index n, counted from 0, of the random sequence
// that seed selects. As a pure function of both it needs no state, and goroutines
// may draw in any order. The numbers of one sequence are distinct.
//
// It is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014, variant 13) as a counter-based generator.
func Random(seed uint64, n int64) uint64 {
	z := seed + (uint64(n)+1)*0x9e3779b97f4a7c15 // the odd number nearest to 2^64 over the golden ratio
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
