package verdict

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFormatDuration(t *testing.T) {
	check := func(d time.Duration, want string) {
		t.Helper()
		assert.Equal(t, want, FormatDuration(d))
	}
	check(0, "0s")
	check(1, "1ns")
	check(999, "999ns")
	check(1000, "1µs")
	check(1234, "1.23µs")
	check(85*time.Microsecond, "85µs")
	check(999_499, "999µs")
	check(999_500, "1ms") // not 1000µs
	check(4200*time.Microsecond, "4.2ms")
	check(1234567, "1.23ms")
	check(45_321*time.Microsecond, "45.3ms")
	check(99_949*time.Microsecond, "99.9ms")
	check(99_950*time.Microsecond, "100ms")
	check(102_704*time.Microsecond, "102.7ms") // tenths line up in a column
	check(312*time.Millisecond, "312ms")
	check(999_949*time.Microsecond, "999.9ms")
	check(999_950*time.Microsecond, "1s") // not 1000ms
	check(2_339_900*time.Microsecond, "2.34s")
	check(59_949*time.Millisecond, "59.9s")
	check(59_950*time.Millisecond, "1m") // not 60s
	check(125*time.Second, "2m5s")
	check(time.Hour, "1h")
	check(time.Hour+5*time.Second, "1h0m5s")
	check(-4200*time.Microsecond, "-4.2ms")
}

func TestFormatCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 29_940: "29,940", 123_456: "123,456", 1_234_567: "1,234,567",
		-1: "-1", -999: "-999", -1000: "-1,000", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		assert.Equal(t, want, FormatCount(n))
	}
}

func TestOneLine(t *testing.T) {
	check := func(in, want, why string) {
		t.Helper()
		assert.Equal(t, want, OneLine(in), why)
	}
	check("read tcp: µ überlast", "read tcp: µ überlast", "what prints stays")
	check("a\nb\tc\r", `a\nb\tc\r`, "one line")
	check("\x1b[2J\x00\u200b", `\x1b[2J\x00\u200b`, "a server must not write to the terminal")
	check("\xff", "\uFFFD", "not UTF-8")
	check("it's", "it's", "quotes stay")
	check(strings.Repeat("é", 240), strings.Repeat("é", 240), "just short enough")
	check(strings.Repeat("é", 241), strings.Repeat("é", 240)+"...", "too long")
}
