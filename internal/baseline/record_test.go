package baseline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

func TestEarlier(t *testing.T) {
	here := some("").Fingerprint
	run := func(name string, day int, p99 float64, change func(*Entry)) Entry {
		r := some(name)
		r.At = time.Date(2025, 6, day, 0, 0, 0, 0, time.UTC)
		r.Quantiles = map[string]float64{"p99": p99}
		change(&r)
		return r
	}
	same := func(*Entry) {}
	records := []Entry{
		run("TestA", 3, 30, same),
		run("TestB", 1, 1, same),
		run("TestA", 1, 10, func(r *Entry) { r.Fingerprint.Go, r.Fingerprint.Kernel = "go1.26.9", "6.8.12-2-generic" }),
		run("TestA", 2, 20, func(r *Entry) { r.Calibrator = Calibrator{} }),
		run("TestA", 4, 40, func(r *Entry) { r.Fingerprint.CPU = "Other CPU" }),
		run("TestA", 5, 50, func(r *Entry) { r.Fingerprint.GOMAXPROCS = 4 }),
		run("TestA", 6, 60, func(r *Entry) { r.Quantiles = map[string]float64{"p50": 6} }),
	}
	runs, others, different := Earlier(records, "TestA", "", here, "p99")
	known := []float64{61_000, 88_000}
	assert.Equal(t, []verdict.BaselineRun{{Value: 10, Calibrators: known}, {Value: 20, Calibrators: []float64{0, 0}}, {Value: 30, Calibrators: known}}, runs)
	assert.Equal(t, 3, others)
	assert.Equal(t, []string{"p99 was not measured"}, different)
	assert.Equal(t, 3, records[0].At.Day(), "the argument is not changed")

	records[3].Expects = "status 302"
	_, others, _ = Earlier(records, "TestA", "", here, "p99")
	assert.Equal(t, 4, others, "another success")
	runs, others, different = Earlier(records, "TestA", "status 302", here, "p99")
	assert.Equal(t, []verdict.BaselineRun{{Value: 20, Calibrators: []float64{0, 0}}}, runs)
	assert.Equal(t, 5, others)
	assert.Equal(t, []string{"success was the default"}, different)
	_, others, different = Earlier(records[:6], "TestA", "", here, "p99")
	assert.Equal(t, 3, others)
	assert.Equal(t, []string{"GOMAXPROCS 2, was 4"}, different)
}

func TestDifferences(t *testing.T) {
	a := Fingerprint{CPU: "A", GOMAXPROCS: 2, Go: "go1.26.1", OS: "linux", Arch: "amd64", Kernel: "6.8.0-45-generic", CgroupQuota: 2}
	assert.Nil(t, a.Differences(a))
	fixes := a
	fixes.Go, fixes.Kernel = "go1.26", "6.8.12"
	assert.Nil(t, a.Differences(fixes), "bug fixes do not count")
	b := Fingerprint{CPU: "B", GOMAXPROCS: 4, Go: "go1.27.1", OS: "darwin", Arch: "arm64", Kernel: "6.11.0", Virtualised: true}
	assert.Equal(t, []string{
		"CPU A, was B", "GOMAXPROCS 2, was 4", "Go version go1.26, was go1.27", "system linux/amd64, was darwin/arm64",
		"kernel 6.8, was 6.11", "virtualised false, was true", "CPU quota 2, was 0",
	}, a.Differences(b))
	for _, tc := range []struct{ version, want string }{
		{"go1.26.1", "go1.26"}, {"go1.27rc1", "go1.27"}, {"devel go1.27-abc", "devel go1.27"}, {"", ""}, {"6", "6"},
	} {
		assert.Equal(t, tc.want, minor(tc.version))
	}
}
