package baseline

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/lock"
)

// some returns a valid record.
func some(name string) Entry {
	return Entry{
		Name: name, At: time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC), Revision: "c0ffee", N: 30_000, NEffective: 9000.5, Throughput: 998.5,
		Quantiles:   map[string]float64{"p50": 1.5e6, "p99": 9e6},
		Calibrator:  Calibrator{NullHandler: 61_000, Reference: 88_000},
		Fingerprint: Fingerprint{CPU: "Some CPU", GOMAXPROCS: 2, Go: "go1.26.1", OS: "linux", Arch: "amd64", Kernel: "6.8.0-1", Virtualised: true, CgroupQuota: 1.5},
		Noise:       map[string]float64{"steal": 0.01},
		Histogram:   "HISTFAAAAB",
	}
}

// file makes a file with the given content and returns its path.
func file(t *testing.T, content string) string {
	path := filepath.Join(t.TempDir(), "api.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
	return path
}

func TestRecordsAreReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.jsonl")
	records, err := Read(path)
	require.NoError(t, err)
	assert.Empty(t, records, "without a file there are no records")
	a, b := some("TestA"), some("TestB with \"quotes\"\nand a line end")
	require.NoError(t, Append(path, a))
	require.NoError(t, Append(path, b))
	a.Schema, b.Schema = 1, 1
	records, err = Read(path)
	require.NoError(t, err)
	assert.Equal(t, []Entry{a, b}, records)
}

// The form of a line is fixed for readers in other languages.
func TestRecordText(t *testing.T) {
	path := file(t, "")
	require.NoError(t, Append(path, some("TestA")))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, `{"schema":1,"name":"TestA","at":"2025-06-01T12:00:00Z","revision":"c0ffee","response_time_ns":{"p50":1500000,"p99":9000000},`+
		`"n":30000,"n_effective":9000.5,"throughput_per_s":998.5,"calibrator":{"null_handler_p50_ns":61000,"reference_ns":88000},`+
		`"fingerprint":{"cpu":"Some CPU","gomaxprocs":2,"go":"go1.26.1","os":"linux","arch":"amd64","kernel":"6.8.0-1","virtualised":true,"cgroup_quota":1.5},`+
		`"noise":{"steal":0.01},"histogram":"HISTFAAAAB"}`+"\n", string(text))
}

func TestReadRejects(t *testing.T) {
	const good = `{"schema":1,"name":"TestA","at":"2025-06-01T12:00:00Z","response_time_ns":{"p50":1500000}}` + "\n"
	for _, tc := range []struct{ content, want, why string }{
		{"# notes\n", ":1: is not a record of a run: invalid character '#' looking for beginning of value; if the file is not a baseline, name another, else delete the line", "foreign"},
		{"{\n  \"schema\": 1\n}\n", ":1: is not a record of a run: unexpected end of JSON input; if the file is not a baseline, name another, else delete the line", "JSON of several lines"},
		{`{"schema":1,"tool":{"name":"load-tester"},"requests":{}}` + "\n", ":1: is not a record of a run: want schema, name, at and response_time_ns; if the file is not a baseline, name another, else delete the line", "a report"},
		{"[]\n", ":1: is not a record of a run: json: cannot unmarshal array", "JSON of another shape"},
		{good + "\n" + good + good[:40] + "\n", ":4: is not a record of a run: unexpected end of JSON input; delete the line, or restore the file from version control", "a line cut off"},
		{good + good[:40], ":2: is not a record of a run: unexpected end of JSON input; delete the line", "at the end"},
		{good + "<<<<<<< HEAD\n" + good + "=======\n" + good + ">>>>>>> other\n", ":2: is left over from a merge; delete the marks and keep the records of both sides", "a merge conflict"},
		{strings.Replace(good, `"schema":1`, `"schema":2`, 1), ":1: is a record of version 2, this program knows 1: use a newer load-tester", "a newer version"},
		{strings.Replace(good, "1500000", "-1", 1), ":1: has p50 of -1 ns, want more than 0", "an impossible time"},
		{strings.Replace(good, "1500000", "1e19", 1), ":1: has p50 of 1e+19 ns, want more than 0 and less than 2^63", "no duration holds it"},
		{strings.Replace(good, "p50", `p5\n--- PASS: x`, 1), `:1: has a time with a wrong name: unknown percentile "p5\n--- PASS: x"`, "a name with a line break"},
		{strings.Replace(good, `"schema":1`, `"schema":1,"n":-3`, 1), ":1: has n of -3, want at least 0", "a negative count"},
		{good + strings.Repeat("x", maxLine+1), ":2: is longer than any record; delete the line", "endless"},
		{good + "\xff\xfe{\x00\n", ":2: is not a record of a run: invalid character", "binary"},
	} {
		path := file(t, tc.content)
		_, err := Read(path)
		require.ErrorContains(t, err, tc.want, tc.why)
		assert.True(t, strings.HasPrefix(err.Error(), path+":"), "%s: %v", tc.why, err)
		assert.ErrorContains(t, Append(path, some("TestA")), "nothing was recorded: "+path+":", tc.why)
		after, _ := os.ReadFile(path)
		assert.Equal(t, tc.content, string(after), "%s: never overwritten", tc.why)
	}
}

func TestReadTolerates(t *testing.T) {
	const good = `{"schema":1,"name":"TestA","at":"2025-06-01T12:00:00Z","response_time_ns":{"p50":1500000}}`
	for _, tc := range []struct{ content, why string }{
		{good + "\r\n\r\n", "line ends of Windows"},
		{good, "an editor left out the last line end"},
		{"\n" + good + "\n\n", "empty lines"},
		{strings.Replace(good, `"name"`, `"later":[1],"name"`, 1) + "\n", "a field that was added later"},
	} {
		path := file(t, tc.content)
		require.NoError(t, Append(path, some("TestB")), tc.why)
		records, err := Read(path)
		require.NoError(t, err, tc.why)
		require.Len(t, records, 2, tc.why)
		assert.Equal(t, "TestB", records[1].Name, tc.why)
	}
}

func TestAppendRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "api.jsonl")
	check := func(change func(*Entry), want string) {
		t.Helper()
		r := some("TestA")
		change(&r)
		assert.ErrorContains(t, Append(path, r), want)
		assert.NoFileExists(t, path)
	}
	check(func(r *Entry) { r.Name = "" }, "writing baseline: the record is not a record of a run: want schema, name")
	check(func(r *Entry) { r.Quantiles = nil }, "response_time_ns")
	check(func(r *Entry) { r.Quantiles["p50"] = math.NaN() }, "has p50 of NaN ns")
	check(func(r *Entry) { r.Quantiles["p50"] = math.Inf(1) }, "has p50 of +Inf ns")
	check(func(r *Entry) { r.NEffective = math.NaN() }, "has n_effective of NaN, want at least 0")

	assert.ErrorContains(t, Append(filepath.Join(dir, "none", "api.jsonl"), some("TestA")), "there is no directory "+filepath.Join(dir, "none")+", create it first")
	assert.ErrorContains(t, Append(dir, some("TestA")), "is not a regular file")
}

func TestAppendsStayWhole(t *testing.T) {
	path := file(t, "")
	const writers, each = 8, 10
	errs := make(chan error, writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				r := some(fmt.Sprintf("Test%d", w))
				r.N = int64(i)
				r.Histogram = strings.Repeat("h", 10_000)
				errs <- Append(path, r)
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		assert.NoError(t, err)
	}
	records, err := Read(path)
	require.NoError(t, err)
	next := map[string]int64{}
	for _, r := range records {
		assert.Equal(t, next[r.Name], r.N, r.Name)
		next[r.Name]++
	}
	assert.Len(t, records, writers*each)
}

// A baseline that stays locked is not waited for without end.
func TestAppendDoesNotHang(t *testing.T) {
	path := file(t, "")
	held, err := lock.Acquire(path, os.O_RDWR, 0)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		err := Append(path, some("TestA"))
		assert.EqualError(t, err, "writing baseline: "+path+" stayed locked by another process for 10s")
	})
	_, err = Read(path)
	assert.NoError(t, err, "it can be read meanwhile")
	require.NoError(t, held.Close())
	assert.NoError(t, Append(path, some("TestA")))
}
