package unit

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzQuantile tests that names of quantiles are in range and keep their meaning.
func FuzzQuantile(f *testing.F) {
	for _, s := range []string{"p50", "p99.9", "p0", "p100", "p99.9999999999", "p.5", "p1.", "p1.2.3", "p", "p00050", "p1e1", "pNaN"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseQuantile(s)
		if err != nil {
			return
		}
		require.True(t, 0 < q && q < 1, q)
		again, err := ParseQuantile(QuantileName(q))
		require.NoError(t, err, QuantileName(q))
		require.Equal(t, q, again, QuantileName(q))
	})
}

// FuzzText tests that text from outside becomes one line that a terminal only prints.
func FuzzText(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J", "a\rb\nc", "\u202egnp", "\xff\xfe", "\ufffd", "\x16--- PASS: x", "é\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		require.True(t, utf8.ValidString(line))
		for _, r := range line {
			require.True(t, unicode.IsPrint(r), "%q", line)
		}
		require.LessOrEqual(t, utf8.RuneCountInString(line), 10*maxLine+3)
	})
}
