package report

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

func encode(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, WriteJSON(&b, r))
	return b.String()
}

func TestJSON(t *testing.T) {
	golden(t, "open.json", encode(t, open()))
	golden(t, "interrupted.json", encode(t, interrupted()))
	golden(t, "compare.json", encodeAny(t, repeated()))
	golden(t, "capacity.json", encodeAny(t, searched()))
}

// What was written reads back as the same data and is written the same again.
func TestJSONRoundTrip(t *testing.T) {
	for name, r := range map[string]*Report{
		"success": success(), "mixed": mixed(), "timeouts": timeouts(), "interrupted": interrupted(), "open": open(), "zero": {},
	} {
		written := encode(t, r)
		var back Report
		dec := json.NewDecoder(strings.NewReader(written))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&back), name)
		assert.Equal(t, written, encode(t, &back), name)
		assert.Equal(t, render(t, r, Style{Verbose: true}), render(t, &back, Style{Verbose: true}), "%s: the text needs nothing that JSON leaves out", name)
	}
}

func TestJSONRoundTripOfOtherKinds(t *testing.T) {
	check := func(r, back writer) {
		t.Helper()
		written := encodeAny(t, r)
		dec := json.NewDecoder(strings.NewReader(written))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(back))
		assert.Equal(t, written, encodeAny(t, back))
		assert.Equal(t, renderAny(t, r, Style{Verbose: true}), renderAny(t, back, Style{Verbose: true}))
	}
	for _, c := range []*Comparison{compared(), repeated(), {}} {
		check(c, &Comparison{})
	}
	for _, c := range []*Capacity{searched(), unfound(), {}} {
		check(c, &Capacity{})
	}
}

// Readers need not tell a missing list from an empty one.
func TestJSONHasNoNullLists(t *testing.T) {
	r := &Report{Errors: []ErrorCount{{Kind: "reset", Count: 1}}}
	got := encode(t, r)
	for _, want := range []string{
		`"status_codes": {}`, `"samples": []`, `"slowest": []`, `"sensors_off": []`, `"warnings": []`,
		`"intervals": []`, `"limits": []`, `"stages": []`, `"verdict": null`, `"warmup": null`, `"p99": null`, `"steal": null`,
	} {
		assert.Contains(t, got, want)
	}
	assert.Nil(t, r.Errors[0].Samples, "the report itself stays as it was")
	assert.Nil(t, r.Limits)
	assert.Contains(t, encode(t, open()), `"limit": "p99<=250ms"`, "< is not escaped")
	for _, r := range []writer{&Comparison{Repeat: &Comparison{}}, &Capacity{}} {
		got := encodeAny(t, r)
		for _, name := range []string{"status_codes", "errors", "ratios", "limits", "trials", "stages", "sensors_off", "warnings"} {
			assert.NotContains(t, got, `"`+name+`": null`)
		}
	}
}

// node is what this test needs of a JSON Schema.
type node struct {
	Ref         string           `json:"$ref"`
	Type        any              `json:"type"`
	Enum        []any            `json:"enum"`
	Format      string           `json:"format"`
	Description string           `json:"description"`
	Properties  map[string]*node `json:"properties"`
	Required    []string         `json:"required"`
	Items       *node            `json:"items"`
	Additional  *node            `json:"additionalProperties"`
	AnyOf       []*node          `json:"anyOf"`
	Defs        map[string]*node `json:"$defs"`
}

// The schema describes every field of the Go types and no other, with the type
// it is written in and whether it may be null.
func TestSchemaMatchesTheTypes(t *testing.T) {
	for of, typ := range map[string]reflect.Type{
		"run": reflect.TypeFor[Report](), "compare": reflect.TypeFor[Comparison](), "capacity": reflect.TypeFor[Capacity](),
	} {
		s, err := Schema(of)
		require.NoError(t, err)
		matches(t, s, typ)
	}
	_, err := Schema("x")
	assert.ErrorContains(t, err, `no schema of "x"`)
}

func matches(t *testing.T, schema []byte, whole reflect.Type) {
	t.Helper()
	var root node
	require.NoError(t, json.Unmarshal(schema, &root))
	used := map[string]bool{}
	var walk func(path string, typ reflect.Type, n *node)
	walk = func(path string, typ reflect.Type, n *node) {
		if !assert.NotEmpty(t, n.Description, "%s has no description", path) {
			return
		}
		if n.Ref != "" {
			name := strings.TrimPrefix(n.Ref, "#/$defs/")
			require.Contains(t, root.Defs, name, path)
			used[name] = true
			n = root.Defs[name]
		}
		if typ == reflect.PointerTo(whole) { // the whole once more
			assert.Equal(t, []*node{{Ref: "#"}, {Type: "null"}}, n.AnyOf, path)
			return
		}
		kind := ""
		nullable := typ.Kind() == reflect.Pointer
		if nullable {
			typ = typ.Elem()
		}
		switch {
		case typ == reflect.TypeFor[verdict.Verdict]():
			assert.Equal(t, []any{"pass", "fail", "inconclusive", nil}, n.Enum, path)
			return
		case n.Enum != nil:
			assert.Equal(t, reflect.String, typ.Kind(), path)
			return
		case typ == reflect.TypeFor[time.Time]():
			kind = "string"
			assert.Equal(t, "date-time", n.Format, path)
		case typ.Kind() == reflect.Struct:
			kind = "object"
			var fields []string
			for _, f := range reflect.VisibleFields(typ) {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				if name == "-" || f.Anonymous { // whose fields follow
					continue
				}
				require.NotEmpty(t, name, "%s.%s has no JSON name", path, f.Name)
				require.Empty(t, options, "%s.%s: every field is always written", path, f.Name)
				fields = append(fields, name)
				if sub := n.Properties[name]; assert.NotNil(t, sub, "%s.%s is not in the schema", path, name) {
					walk(path+"."+name, f.Type, sub)
				}
			}
			assert.ElementsMatch(t, fields, slices.Collect(maps.Keys(n.Properties)), "%s: the schema and the type differ", path)
			assert.Equal(t, fields, n.Required, "%s: all fields are there, in the order they are written", path)
		case typ.Kind() == reflect.Slice:
			kind = "array"
			walk(path+"[]", typ.Elem(), described(n.Items))
		case typ.Kind() == reflect.Map:
			kind = "object"
			walk(path+"{}", typ.Elem(), n.Additional)
		case typ.Kind() == reflect.Bool:
			kind = "boolean"
		case typ.Kind() == reflect.String:
			kind = "string"
		case typ.Kind() == reflect.Float64:
			kind = "number"
		default:
			kind = "integer"
			if typ == reflect.TypeFor[time.Duration]() {
				inNs := strings.HasSuffix(path, "_ns") || strings.Contains(path, "_ns.")
				assert.True(t, inNs && strings.HasPrefix(n.Description, "ns"), "%s: a duration names its unit", path)
			}
		}
		want := any(kind)
		if nullable {
			want = []any{kind, "null"}
		}
		assert.Equal(t, want, n.Type, path)
	}
	walk(whole.Name(), whole, &root)
	for name := range root.Defs {
		assert.True(t, used[name], "$defs/%s is not used", name)
	}
}

// described lets the items of a list of strings go without a description of
// their own: the list's says it all.
func described(n *node) *node {
	if n.Description == "" {
		n.Description = "item"
	}
	return n
}

func TestSchemaIsACopy(t *testing.T) {
	s, err := Schema("run")
	require.NoError(t, err)
	clear(s)
	s, _ = Schema("run")
	assert.True(t, json.Valid(s))
}
