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

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A node is the part of a JSON Schema that this test needs.
type node struct {
	ID          string           `json:"$id"`
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
	AllOf       []*node          `json:"allOf"`
	Defs        map[string]*node `json:"$defs"`
}

// The schema describes exactly the fields of the Go types, with the type in JSON and
// whether it may be null.
func TestSchemaMatchesTheTypes(t *testing.T) {
	c := &checker{T: t, used: map[string]bool{}}
	require.NoError(t, json.Unmarshal(Schema(), &c.root))
	assert.True(t, strings.HasSuffix(c.root.ID, "/schema/2.json"))
	assert.Equal(t, 2, SchemaVersion)
	c.check("document", reflect.TypeFor[Document](), &c.root)
	for name := range c.root.Defs {
		assert.True(t, c.used[name], "$defs/%s is not used", name)
	}
}

type checker struct {
	*testing.T
	root node
	used map[string]bool // definitions
}

// def returns the definition that a reference names.
func (c *checker) def(ref string) *node {
	name := strings.TrimPrefix(ref, "#/$defs/")
	require.Contains(c, c.root.Defs, name)
	c.used[name] = true
	return c.root.Defs[name]
}

// check compares a type with the node that describes it.
func (c *checker) check(path string, typ reflect.Type, n *node) {
	if !assert.NotEmpty(c, n.Description, "%s has no description", path) {
		return
	}
	nullable := typ.Kind() == reflect.Pointer
	if nullable {
		typ = typ.Elem()
	}
	if nullable && n.AnyOf != nil {
		require.Len(c, n.AnyOf, 2, path)
		assert.Equal(c, &node{Type: "null"}, n.AnyOf[1], path)
		if ref := n.AnyOf[0].Ref; ref != "#" {
			c.check(path, typ, c.def(ref))
		} else {
			assert.Equal(c, reflect.TypeFor[Document](), typ, path)
		}
		return
	}
	if n.Ref != "" {
		n = c.def(n.Ref)
	}
	kind := ""
	switch {
	case typ == reflect.TypeFor[verdict.Verdict]():
		assert.Equal(c, []any{"pass", "fail", "inconclusive", nil}, n.Enum, path)
		return
	case n.Enum != nil:
		assert.Equal(c, reflect.String, typ.Kind(), path)
		return
	case typ == reflect.TypeFor[record.Record]():
		kind = "object"
		assert.Nil(c, n.Properties, "the fields of %s are not described", path)
	case typ == reflect.TypeFor[time.Time]():
		kind = "string"
		assert.Equal(c, "date-time", n.Format, path)
	case typ.Kind() == reflect.Struct:
		kind = "object"
		c.checkFields(path, typ, n)
	case typ.Kind() == reflect.Slice:
		kind = "array"
		if n.Items.Description == "" {
			n.Items.Description = n.Description // a list of strings needs no other
		}
		c.check(path+"[]", typ.Elem(), n.Items)
	case typ.Kind() == reflect.Map:
		kind = "object"
		c.check(path+"{}", typ.Elem(), n.Additional)
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
			assert.True(c, inNs && strings.HasPrefix(n.Description, "ns"), "%s: a duration names its unit", path)
		}
	}
	want := any(kind)
	if nullable {
		want = []any{kind, "null"}
	}
	assert.Equal(c, want, n.Type, path)
}

func (c *checker) checkFields(path string, typ reflect.Type, n *node) {
	var fields []string
	for _, f := range flatFields(typ, n) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" { // its fields are described by a definition
			require.Len(c, n.AllOf, 1, path)
			c.check(path, f.Type, c.def(n.AllOf[0].Ref))
			continue
		}
		require.NotEmpty(c, name, "%s.%s has no JSON name", path, f.Name)
		require.Empty(c, options, "%s.%s: every field is always written", path, f.Name)
		fields = append(fields, name)
		if sub := n.Properties[name]; assert.NotNil(c, sub, "%s.%s is not in the schema", path, name) {
			c.check(path+"."+name, f.Type, sub)
		}
	}
	assert.ElementsMatch(c, fields, slices.Collect(maps.Keys(n.Properties)), "%s: the schema and the type differ", path)
	assert.Equal(c, fields, n.Required, "%s: all fields are there, in the order they are written", path)
}

func TestSchemaIsACopy(t *testing.T) {
	clear(Schema())
	assert.True(t, json.Valid(Schema()))
}

// flatFields returns the fields of typ in order. An embedded type that n does not refer
// to is replaced by its fields.
func flatFields(typ reflect.Type, n *node) (all []reflect.StructField) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous && f.Tag.Get("json") == "" && len(n.AllOf) == 0 {
			all = append(all, flatFields(f.Type, n)...)
			continue
		}
		all = append(all, f)
	}
	return all
}
