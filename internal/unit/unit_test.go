package unit

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDuration(t *testing.T) {
	check := func(d time.Duration, want string) {
		t.Helper()
		assert.Equal(t, want, Duration(d))
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

func TestDurationHasNoBound(t *testing.T) {
	assert.Equal(t, "-"+Duration(math.MaxInt64), Duration(math.MinInt64))
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 29_940: "29,940", 123_456: "123,456", 1_234_567: "1,234,567",
		-1: "-1", -999: "-999", -1000: "-1,000", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		assert.Equal(t, want, Count(n))
	}
}

func TestLine(t *testing.T) {
	check := func(in, want, why string) {
		t.Helper()
		assert.Equal(t, want, Line(in), why)
	}
	check("read tcp: µ überlast", "read tcp: µ überlast", "printable text stays")
	check("a\nb\tc\r", `a\nb\tc\r`, "one line")
	check("\x1b[2J\x00\u200b", `\x1b[2J\x00\u200b`, "a server must not write to the terminal")
	check("a\xff\uFFFD", `a\xff`+"\uFFFD", "not UTF-8, beside the character that stands for it")
	check("it's", "it's", "quotes stay")
	check(strings.Repeat("é", 240), strings.Repeat("é", 240), "just short enough")
	check(strings.Repeat("é", 241), strings.Repeat("é", 240)+"...", "too long")
}

func TestPrintable(t *testing.T) {
	check := func(in, want, why string) {
		t.Helper()
		assert.Equal(t, want, Printable(in), why)
	}
	check("a\n\u202e\u009b\u2028\u200bb", `a\n\u202e\u009b\u2028\u200bb`, "one line, in one direction, without controls")
	check("##[error]x a##vso[y ##teamcity[z", `\x23#[error]x a\x23#vso[y \x23#teamcity[z`, "commands to CI jobs")
	check("## title #1 [a]", "## title #1 [a]", "are not all with a #")
	check(strings.Repeat("é", 1000), strings.Repeat("é", 1000), "just short enough")
	check(strings.Repeat("a", 701)+strings.Repeat("z", 300), strings.Repeat("a", 700)+" ... "+strings.Repeat("z", 300), "the middle is lost")
	assert.Equal(t, "one; two", Message("one\ntwo"))
}

func TestPrintableAll(t *testing.T) {
	type Inner struct {
		Text string
		any  string
	}
	type outer struct {
		Inner
		Texts  []string
		To     *Inner
		None   *Inner
		Keys   map[string][]string
		Values map[int]Inner
		Number int
	}
	v := &outer{
		Inner: Inner{Text: "\n", any: "\n"}, Texts: []string{"a", "\n"}, To: &Inner{Text: "\n"},
		Keys: map[string][]string{"\n": {"\n"}}, Values: map[int]Inner{1: {Text: "\n"}}, Number: 1,
	}
	PrintableAll(v)
	assert.Equal(t, &outer{
		Inner: Inner{Text: `\n`, any: "\n"}, Texts: []string{"a", `\n`}, To: &Inner{Text: `\n`},
		Keys: map[string][]string{`\n`: {`\n`}}, Values: map[int]Inner{1: {Text: `\n`}}, Number: 1,
	}, v)
	PrintableAll((*outer)(nil))
}

func TestOptional(t *testing.T) {
	assert.Equal(t, "-", Optional(nil))
	assert.Equal(t, "0s", Optional(new(time.Duration(0))), "a known time of zero")
	assert.Equal(t, "4.2ms", Optional(new(4200*time.Microsecond)))
}

func TestExact(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Minute: "1m", time.Hour: "1h", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
		102_749 * time.Microsecond: "102.749ms", time.Second + 1: "1.000000001s",
	} {
		assert.Equal(t, want, Exact(d))
		back, err := time.ParseDuration(want)
		assert.NoError(t, err)
		assert.Equal(t, d, back)
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 50 * time.Millisecond: "0s", 3290 * time.Millisecond: "3.2s", 9999 * time.Millisecond: "9.9s", 10 * time.Second: "10s",
		10*time.Second - 1: "9.9s", time.Minute - 1: "59s", time.Minute: "1m", 65 * time.Second: "1m05s",
		time.Hour - 1: "59m59s", time.Hour: "1h", 123*time.Minute + 4*time.Second: "2h03m",
	} {
		assert.Equal(t, want, Clock(d), d.String())
	}
}

func TestShortCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 9999: "9999", 10_000: "10.0k", 12_345: "12.3k", 99_949: "99.9k", 99_950: "100k", 123_456: "123k", 999_499: "999k",
		999_500: "1.00M", 9_994_999: "9.99M", 9_995_000: "10.0M", 1_234_567_890: "1.23G", 1e15: "1000T",
	} {
		assert.Equal(t, want, ShortCount(n), "%d", n)
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int64]string{0: "0 requests", 1: "1 request", 2: "2 requests", 29_940: "29940 requests"} {
		assert.Equal(t, want, Plural(n, "request"))
	}
}

// below returns the float64 just below f: the largest that may round the other way.
func below(f float64) float64 { return math.Nextafter(f, 0) }

func TestNumber(t *testing.T) {
	check := func(f float64, want string) {
		t.Helper()
		assert.Equal(t, want, Number(f))
	}
	check(0, "0")
	check(0.02125, "0.0213")
	check(0.1256, "0.126")
	check(0.00000123456, "0.00000123") // no exponent
	check(45.3, "45.3")
	check(50, "50")
	check(below(99.95), "99.9")
	check(99.95, "100") // just above the decimal in binary
	check(below(100), "100")
	check(100.4, "100")
	check(12_800.4, "12800")
	check(1e21, "1000000000000000000000")
	assert.Equal(t, "12800/s", Rate(12_800.4))
	assert.Equal(t, "0.126/s", Rate(0.1256))
}

func TestSignificant(t *testing.T) {
	check := func(f float64, n int, want string) {
		t.Helper()
		assert.Equal(t, want, Significant(f, n))
	}
	check(0.000159, 2, "0.00016")
	check(0.01, 2, "0.01")
	check(197.786, 4, "197.8")
	check(197.9999, 4, "198")
	check(1234.5, 2, "1200")
	check(below(9.995), 3, "9.99")
}

func TestRounded(t *testing.T) {
	check := func(f float64, places int, want string) {
		t.Helper()
		assert.Equal(t, want, Rounded(f, places))
	}
	check(1000, 3, "1000") // keeps the zeros before the point
	check(0, 3, "0")
	check(12.5, 3, "12.5")
	check(1.0/3, 3, "0.333")
	check(0.0625, 3, "0.062") // exact in binary, so to even
	check(below(0.9995), 3, "0.999")
	check(102.749, 1, "102.7")
}

func TestDecimal(t *testing.T) {
	check := func(f float64, places int, want string) {
		t.Helper()
		assert.Equal(t, want, Decimal(f, places))
	}
	check(0, 2, "0")
	check(0.07, 2, "7") // 0.07*100 is not
	check(0.999, 2, "99.9")
	check(0.001, 2, "0.1")
	check(0.00001, 2, "0.001")
	check(1, 2, "100")
	check(1.05, 0, "1.05")
	check(5000, 0, "5000")
	check(1e-7, 0, "0.0000001")
	check(below(1), 2, "99.99999999999999")
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0.0%", 0.0005: "0.1%", below(0.0005): "0.0%", 0.0521: "5.2%", 0.2: "20.0%", below(0.0525): "5.2%", 1: "100.0%",
	} {
		assert.Equal(t, want, Percent(share), "%v", share)
	}
}

func TestPerSecond(t *testing.T) {
	assert.Equal(t, "1000.00 req/s", PerSecond(1000))
	assert.Equal(t, "0.333 req/s", PerSecond(1.0/3))
	for f, want := range map[float64]string{0: "0.00", 1e-5: "0.00001", 0.1: "0.1", 0.994: "0.994", 0.996: "1.00", 2.0 / 3 * 10: "6.67"} {
		assert.Equal(t, want, Throughput(f), "%v", f)
	}
	for f, want := range map[float64]string{0: "0", 1e-6: "0.000001", 1.0 / 3: "0.333", 1: "1", 12.5: "12.5", 12800: "12800"} {
		assert.Equal(t, want, ArrivalRate(f), "%v", f)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 12: "12 B", 999: "999 B", 1000: "1 kB", 123_456: "123 kB", 999_499: "999 kB", 999_500: "1 MB",
		1_275_000: "1.27 MB", 5_000_000_000_000: "5 TB", 5_000_000_000_000_000: "5000 TB",
	} {
		assert.Equal(t, want, Size(n))
	}
}

func TestQuantileName(t *testing.T) {
	for q, name := range map[float64]string{
		0.5: "p50", 0.07: "p7", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p99.9", 0.99999: "p99.999", 0.001: "p0.1",
	} {
		assert.Equal(t, name, QuantileName(q))
		back, err := ParseQuantile(name)
		assert.NoError(t, err, name)
		assert.Equal(t, q, back, name)
	}
}

func TestParseQuantileErrors(t *testing.T) {
	for name, want := range map[string]string{
		"":        `unknown percentile "", want p50, p90, p99, p99.9 or any other`,
		"latency": `unknown percentile "latency", want p50, p90, p99, p99.9 or any other`,
		"P99":     `unknown percentile "P99", want p50, p90, p99, p99.9 or any other`,
		"p9e1":    `unknown percentile "p9e1", want p50, p90, p99, p99.9 or any other`,
		"p-1":     `unknown percentile "p-1", want p50, p90, p99, p99.9 or any other`,
		"p":       `no percentile "p", want for example p99 or p99.9`,
		"p99.9.9": `no percentile "p99.9.9", want for example p99 or p99.9`,
		"p0":      `no percentile "p0", want one above p0 and below p100`,
		"p101":    `no percentile "p101", want one above p0 and below p100`,
		"p100":    "p100 is the longest response time: call it max",
	} {
		q, err := ParseQuantile(name)
		assert.EqualError(t, err, want)
		assert.Zero(t, q)
	}
}

func TestSpan(t *testing.T) {
	const ms = time.Millisecond
	assert.Equal(t, "20ms", Span(20*ms, 20*ms+time.Microsecond))
	assert.Equal(t, "18ms to 26ms", Span(18*ms, 26*ms))
	assert.Equal(t, "up to 26ms", Span(1, 26*ms))
	assert.Equal(t, "300µs", Span(300*time.Microsecond, 300*time.Microsecond))
}

func TestClause(t *testing.T) {
	assert.Equal(t, "No connection could be made", Clause("No connection could be made."), "as Windows writes it")
	assert.Equal(t, "connection refused", Clause("connection refused"))
	assert.Equal(t, "and so on...", Clause("and so on..."))
	assert.Empty(t, Clause("."))
}

// A status has three digits, as it came.
func TestStatus(t *testing.T) {
	for code, want := range map[int]string{1: "001", 10: "010", 200: "200", 999: "999"} {
		assert.Equal(t, want, Status(code))
	}
}
