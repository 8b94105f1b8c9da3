//go:build unix

package testscripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// mask FILE [KEEP...] rewrites a report, in text or JSON, so that two runs of the same
// command give the same: times become T, rates R, sizes S, run ids ID, loopback ports
// PORT and the version VERSION. What depends on the machine is removed, and so are the
// intervals of limits. The values KEEP and those that limits demand are kept.
func cmdMask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: mask FILE [KEEP...]")
	}
	in := ts.ReadFile(args[0])
	out := maskText(in, args[1:])
	if strings.HasPrefix(in, "{") {
		var err error
		out, err = maskJSON(in)
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out), 0o666))
}

var (
	timeOrRate = regexp.MustCompile(`([<>]=? ?|within )?( *)(\b\d+(?:\.\d+)?(?:ns|µs|ms|s|m\d+s|h\d+m\d+s|m|h)\b|\b\d+(?:\.\d+)? req/s|\b[\d.e+]+ [kMGT]?B\b)`)
	tableRow   = regexp.MustCompile(`^  (?:mean|p[\d.]+|max): `)
	someRunID  = regexp.MustCompile(`\b[0-9a-f]{8}-(\d{12})\b`)
	anyPort    = regexp.MustCompile(`(127\.0\.0\.1|\[::1\]|localhost):\d+`)
	limitRate  = regexp.MustCompile(`\b(throughput|goodput) [\d.,e+]+/s`)
	wrapped    = regexp.MustCompile(`(?m)^(    \S.*)\n    (\S)`)
	basisSpan  = regexp.MustCompile(`(?m)^((?:    )?(?:.*; )?)(?:at (?:least|most) [\d.]+(?:[a-zµ%]+|/s)|[\d.]+(?:[a-zµ%]*|/s) to [\d.]+(?:[a-zµ%]+|/s)); `)
	limitSpan  = regexp.MustCompile(` \((?:at (?:least|most) )?[\d.]+(?:[a-zµ]*|/s)(?: to [\d.]+(?:[a-zµ]*|/s))?\), want`)
	version    = regexp.MustCompile(`(load-tester[ /]|version )(?:devel\b|v\d\S*)`)
	warnings   = regexp.MustCompile(`(?s)\nWarnings:\n.*`)
	instant    = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)`)
	histogram  = regexp.MustCompile(`\nHistogram:\n(?:  <= .*\n)+`)
	hint       = regexp.MustCompile(`\nHint: .*\n`)
)

func maskText(s string, keep []string) string {
	s = warnings.ReplaceAllString(s, "")
	s = histogram.ReplaceAllString(s, "\nHistogram:\n  ROWS\n")
	s = hint.ReplaceAllString(s, "")
	s = instant.ReplaceAllString(s, "INSTANT")
	for wrapped.MatchString(s) { // where a sentence is wrapped depends on its values
		s = wrapped.ReplaceAllString(s, "$1 $2")
	}
	s = basisSpan.ReplaceAllString(s, "$1")
	s = limitSpan.ReplaceAllString(s, ", want")
	s = limitRate.ReplaceAllString(s, "$1 R/s")
	s = maskWords(s)
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(maskValues(line, keep))
	}
	return out.String()
}

// maskValues keeps the columns of a line aligned: in a table of times on the right,
// elsewhere on the left.
func maskValues(line string, keep []string) string {
	table := tableRow.MatchString(line)
	return timeOrRate.ReplaceAllStringFunc(line, func(m string) string {
		g := timeOrRate.FindStringSubmatch(m)
		gap, value := g[2], g[3]
		if g[1] != "" || slices.Contains(keep, value) {
			return m
		}
		masked := "T"
		switch {
		case strings.HasSuffix(value, "req/s"):
			masked = "R req/s"
		case strings.HasSuffix(value, "B"):
			masked = "S"
		}
		if table {
			return fmt.Sprintf("%*s", utf8.RuneCountInString(gap+value), masked)
		}
		return gap + masked
	})
}

func maskWords(s string) string {
	s = someRunID.ReplaceAllString(s, "ID-$1")
	s = anyPort.ReplaceAllString(s, "$1:PORT")
	return version.ReplaceAllString(s, "${1}VERSION")
}

// maskJSON keeps the order of members. Measured numbers become "*", while null stays
// null. Lists whose length differs from run to run become a single "*".
func maskJSON(s string) (string, error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var b bytes.Buffer
	m := masker{d: d, out: &b}
	if err := m.value(nil); err != nil {
		return "", fmt.Errorf("masking JSON: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, b.Bytes(), "", "  "); err != nil {
		return "", err
	}
	return indented.String() + "\n", nil
}

type masker struct {
	d   *json.Decoder
	out *bytes.Buffer
}

// masked are members of which every part depends on the machine or the moment; kept
// are those of which no part does.
var (
	masked = []string{"tool", "generator", "intervals", "slowest", "stalls", "run_id", "started_at", "record"}
	kept   = []string{"config", "requests", "status_codes", "warmup", "errors", "limits"}
)

func (m *masker) value(path []string) error {
	if len(path) == 1 && slices.Contains(masked, path[0]) {
		var skipped any
		m.out.WriteString(`"*"`)
		return m.d.Decode(&skipped)
	}
	t, err := m.d.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		return m.members(t, path)
	case json.Number:
		if measured(path) {
			m.out.WriteString(`"*"`)
		} else {
			m.out.WriteString(t.String())
		}
	case string:
		return m.literal(maskText(t, nil))
	default:
		return m.literal(t)
	}
	return nil
}

// measured reports whether the number at a path differs from run to run.
func measured(path []string) bool {
	last := path[len(path)-1]
	switch {
	case last == "observed":
		return true
	case slices.Contains(kept, path[0]) || last == "count" || last == "schema":
		return false
	case path[0] == "bytes":
		return last == "sent" || last == "received" // they contain ports and versions
	}
	return true
}

func (m *masker) members(open json.Delim, path []string) error {
	m.out.WriteString(open.String())
	for first := true; m.d.More(); first = false {
		if !first {
			m.out.WriteByte(',')
		}
		name := "[]"
		if open == '{' {
			t, err := m.d.Token()
			if err != nil {
				return err
			}
			name, _ = t.(string) // a member's name is always a string
			if err := m.literal(name); err != nil {
				return err
			}
			m.out.WriteByte(':')
		}
		if err := m.value(append(slices.Clone(path), name)); err != nil {
			return err
		}
	}
	end, err := m.d.Token()
	if err == nil {
		fmt.Fprint(m.out, end)
	}
	return err
}

func (m *masker) literal(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	m.out.Write(bytes.TrimSpace(b.Bytes()))
	return nil
}
