package stat

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The reference implementation, splitmix64.c by Vigna, gives these numbers.
func TestRandomIsSplitMix64(t *testing.T) {
	for n, want := range []uint64{
		6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
	} {
		assert.Equal(t, want, Random(1234567, int64(n)), "number %d", n)
	}
}

func BenchmarkRandom(b *testing.B) {
	var sum uint64
	for n := int64(0); b.Loop(); n++ {
		sum += Random(1, n)
	}
	_ = sum
}
