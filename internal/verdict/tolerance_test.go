package verdict

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseTolerance(t *testing.T) {
	for s, want := range map[string]Tolerance{
		"p50=5%":      {0.5, 1.05},
		"p99=10%":     {0.99, 1.1},
		"p99.9=20%":   {0.999, 1.2},
		"p90=1.05":    {0.9, 1.05},
		" p75 = 0 % ": {0.75, 1},
		"p50=1":       {0.5, 1},
		"p50=200%":    {0.5, 3},
		"p50=14%":     {0.5, 1.14}, // which 1+0.14 is not
	} {
		got, err := ParseTolerance(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
	for s, want := range map[string]string{
		"":           "want a percentile and by how much it may be slower, for example p99=10%",
		"p99":        "want a percentile and by how much it may be slower",
		"latency=5%": `unknown percentile "latency", want p50, p90, p99, p99.9 or any other`,
		"max=5%":     `unknown percentile "max"`,
		"errors=5%":  `unknown percentile "errors"`,
		"p101=5%":    `no percentile "p101", want one above p0 and below p100`,
		"p100=5%":    "p100 is the longest response time",
		"p50=":       "p50 needs by how much it may be slower, for example p50=5% or p50=1.05",
		"p50=5":      "p50 needs by how much it may be slower", // 5 %, surely
		"p50=0.95":   "p50 needs by how much it may be slower",
		"p50=-5%":    "p50 needs by how much it may be slower",
		"p50=NaN":    "p50 needs by how much it may be slower",
		"p50=Inf":    "p50 needs by how much it may be slower",
		"p50=5ms":    "p50 needs by how much it may be slower",
	} {
		got, err := ParseTolerance(s)
		assert.ErrorContains(t, err, want, s)
		assert.Zero(t, got, s)
	}
	assert.Equal(t, "p99.9", Tolerance{Q: 0.999}.Name())
}
