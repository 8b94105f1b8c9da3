//go:build unix

package testscripts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/rogpeppe/go-internal/testscript"
)

// valid FILE checks that a JSON report conforms to the schema and has no other members.
func cmdValid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: valid FILE")
	}
	ts.Check(conforms(report.Schema(), []byte(ts.ReadFile(args[0]))))
}

// A schema is the part of JSON Schema (2020-12) that our schema uses. One without
// properties allows any.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       json.RawMessage    // a name or a list of names; if absent, any type
	Properties map[string]*schema // members
	Required   []string
	Additional *schema `json:"additionalProperties"`
	Items      *schema
	AnyOf      []*schema
	AllOf      []*schema
	Enum       []any
	Minimum    *float64
	Defs       map[string]*schema `json:"$defs"`
}

// conforms returns an error if a document does not conform to a schema.
func conforms(text, doc []byte) error {
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return err
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	return root.check(&root, v, "$")
}

// check checks the value v at the path at; root contains the definitions.
func (s *schema) check(root *schema, v any, at string) error {
	s = s.resolve(root)
	if len(s.AnyOf) > 0 {
		var err error
		for _, one := range s.AnyOf {
			if err = one.check(root, v, at); err == nil {
				return nil
			}
		}
		return err
	}
	if kind := kindOf(v); len(s.Type) > 0 && !strings.Contains(string(s.Type), `"`+kind+`"`) && (kind != "integer" || !strings.Contains(string(s.Type), `"number"`)) {
		return fmt.Errorf("%s is of type %s, want %s", at, kind, s.Type)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return fmt.Errorf("%s is %v, want one of %v", at, v, s.Enum)
	}
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err != nil || s.Minimum != nil && f < *s.Minimum {
			return fmt.Errorf("%s is %v, want at least %v", at, v, *s.Minimum)
		}
	case []any:
		for i, item := range v {
			if err := s.Items.check(root, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		return s.members(root, v, at)
	}
	return nil
}

// resolve returns the schema that s refers to, or s if it is not a reference.
func (s *schema) resolve(root *schema) *schema {
	switch s.Ref {
	case "":
		return s
	case "#":
		return root
	}
	return root.Defs[path.Base(s.Ref)]
}

// parts returns s and all schemas in its allOf.
func (s *schema) parts(root *schema) []*schema {
	all := []*schema{s}
	for _, part := range s.AllOf {
		all = append(all, part.resolve(root).parts(root)...)
	}
	return all
}

// members checks the members of an object.
func (s *schema) members(root *schema, v map[string]any, at string) error {
	known := map[string]*schema{}
	for _, part := range s.parts(root) {
		for _, name := range part.Required {
			if _, ok := v[name]; !ok {
				return fmt.Errorf("%s.%s is missing", at, name)
			}
		}
		maps.Copy(known, part.Properties)
	}
	if len(known) == 0 && s.Additional == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		member := cmp.Or(known[name], s.Additional)
		if member == nil {
			return fmt.Errorf("%s.%s is not in the schema", at, name)
		}
		if err := member.check(root, v[name], at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// kindOf returns the type of a value in JSON Schema.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "object"
}
