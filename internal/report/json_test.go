package report

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// golden compares got with a file in testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func encode(t *testing.T, d *Document) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, WriteJSON(&b, d))
	return b.String()
}

// withoutRecords returns d without its records.
func withoutRecords(d *Document) *Document {
	if d == nil {
		return nil
	}
	out := *d
	out.Arm.Record = nil
	if d.Base != nil {
		out.Base = new(*d.Base)
		out.Base.Record = nil
	}
	out.Repeat = withoutRecords(d.Repeat)
	return &out
}

// brief returns d without its records and with only the beginning of long lists.
func brief(d *Document) *Document {
	d = withoutRecords(d)
	for _, a := range []*Arm{&d.Arm, d.Base} {
		if a != nil {
			a.Slowest, a.Intervals = a.Slowest[:2], a.Intervals[:2]
		}
	}
	if d.Repeat != nil {
		d.Repeat = brief(d.Repeat)
	}
	return d
}

func TestJSON(t *testing.T) {
	golden(t, "open.json", encode(t, brief(open())))
	golden(t, "interrupted.json", encode(t, brief(interrupted())))
	golden(t, "compare.json", encode(t, brief(compared())))
	golden(t, "capacity.json", encode(t, brief(searched())))
}

// A document that was written is read back as the same data, is written the same
// again, and can be merged.
func TestJSONIsReadBack(t *testing.T) {
	for name, d := range map[string]*Document{
		"open": open(), "interrupted": interrupted(), "comparison": compared(), "search": searched(), "nothing": {},
	} {
		written := encode(t, d)
		var back Document
		dec := json.NewDecoder(strings.NewReader(written))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&back), name)
		assert.Equal(t, written, encode(t, &back), name)
		assert.Equal(t, withoutRecords(d.withoutNil()), withoutRecords(&back), name)
		if d.Record == nil {
			continue
		}
		assert.Equal(t, d.Record.Series.Intervals(), back.Record.Series.Intervals(), name)
		for _, q := range []float64{0.5, 0.999, 1} {
			want, known := d.Quantile(q)
			got, ok := back.Quantile(q)
			assert.Equal(t, known, ok, name)
			assert.Equal(t, want, got, name)
		}
		again := NewArm(facts(d.Kind), back.Record)
		assert.Equal(t, d.ResponseTime, again.ResponseTime, name)
		back.Record.Merge(d.Record)
		assert.Equal(t, 2*d.Requests.Due, back.Record.Due, name)
	}
}

func TestJSONOfARecordThatDoesNotAddUp(t *testing.T) {
	spoilt := strings.Replace(encode(t, open()), `"unsent": 4,`, `"unsent": 5,`, 2)
	assert.ErrorContains(t, json.Unmarshal([]byte(spoilt), &Document{}), "sent + unsent is 5001, want 5000")
}

// Readers need not distinguish a missing list from an empty one.
func TestJSONHasNoNullLists(t *testing.T) {
	d := &Document{Arm: Arm{Errors: []ErrorCount{{Kind: "reset", Count: 1}}}}
	got := encode(t, d)
	for _, want := range []string{
		`"status_codes": {}`, `"samples": []`, `"slowest": []`, `"sensors_off": []`, `"warnings": []`, `"claims": []`, `"ratios": []`,
		`"intervals": []`, `"limits": []`, `"stages": []`, `"verdict": null`, `"warmup": null`, `"p99": null`, `"steal": null`,
		`"base": null`, `"pairs": null`, `"search": null`, `"repeat": null`, `"record": null`,
	} {
		assert.Contains(t, got, want)
	}
	assert.Nil(t, d.Errors[0].Samples, "the document itself is not changed")
	assert.Nil(t, d.Limits)
	assert.Contains(t, encode(t, open()), `"limit": "p99<=250ms"`, "< is not escaped")
	got = encode(t, &Document{Base: &Arm{}, Found: &Found{}, Repeat: &Document{}})
	for _, name := range []string{"status_codes", "errors", "slowest", "intervals", "claims", "ratios", "limits", "trials", "stages", "sensors_off", "warnings"} {
		assert.Contains(t, got, `"`+name+`": `)
		assert.NotContains(t, got, `"`+name+`": null`)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWriteJSONReportsTheWriteError(t *testing.T) {
	full := errors.New("no space left on device")
	assert.ErrorIs(t, WriteJSON(failing{full}, open()), full)
}
