//go:build unix

package testscripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// json FILE PATH WANT compares one value in a JSON file: json got.json requests.sent
// 20. PATH consists of names and list indexes; length at its end is the number of
// members. WANT is JSON, or a string without its quotes. With <, <=, > or >= in front
// it bounds a number; between slashes it is a pattern.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH WANT")
	}
	v, err := field(ts.ReadFile(args[0]), args[1])
	ts.Check(err)
	got := text(v)
	ok := got == args[2]
	if pattern, cut := strings.CutPrefix(args[2], "/"); cut {
		ok, err = regexp.MatchString(strings.TrimSuffix(pattern, "/"), got)
		ts.Check(err)
	} else if n, isNumber := v.(json.Number); isNumber && !ok {
		f, err := n.Float64()
		ts.Check(err)
		ok, err = holds(f, args[2])
		ts.Check(err)
	}
	if ok == neg {
		not := ""
		if neg {
			not = "not "
		}
		ts.Fatalf("%s is %s, want %s%s", args[1], got, not, args[2])
	}
}

// field returns the value at path.
func field(doc, path string) (any, error) {
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value: %v", err)
	}
	for _, step := range strings.Split(path, ".") {
		switch m := v.(type) {
		case map[string]any:
			member, ok := m[step]
			if !ok && step == "length" {
				member = json.Number(strconv.Itoa(len(m)))
			} else if !ok {
				return nil, fmt.Errorf("%s: no member %q", path, step)
			}
			v = member
		case []any:
			if step == "length" {
				v = json.Number(strconv.Itoa(len(m)))
				continue
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(m) {
				return nil, fmt.Errorf("%s: no element %q of %d", path, step, len(m))
			}
			v = m[i]
		default:
			return nil, fmt.Errorf("%s: %q in %s", path, step, text(v))
		}
	}
	return v, nil
}

// text returns a value as JSON, and a string without its quotes.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// holds compares a number with "5", "<5", "<=5", ">5" or ">=5".
func holds(got float64, want string) (bool, error) {
	number := strings.TrimLeft(want, "<>=")
	op := strings.TrimSuffix(want, number)
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false, fmt.Errorf("%q is not a number", want)
	}
	switch op {
	case "":
		return got == f, nil
	case "<":
		return got < f, nil
	case "<=":
		return got <= f, nil
	case ">":
		return got > f, nil
	case ">=":
		return got >= f, nil
	}
	return false, fmt.Errorf("%q is not a comparison", want)
}
