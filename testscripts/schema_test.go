//go:build unix

package testscripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/rogpeppe/go-internal/testscript"
)

// valid run|compare|capacity FILE checks a JSON report by the schema of its
// command, and that it has no member besides.
func cmdValid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: valid run|compare|capacity FILE")
	}
	text, err := report.Schema(args[0])
	ts.Check(err)
	ts.Check(conforms(text, []byte(ts.ReadFile(args[1]))))
}

// A schema is what our schemas use of JSON Schema (2020-12).
type schema struct {
	Ref        string             `json:"$ref"`
	Type       json.RawMessage    // a name, or a list of them; anything without
	Properties map[string]*schema // members
	Required   []string
	Additional *schema `json:"additionalProperties"`
	Items      *schema
	AnyOf      []*schema
	Enum       []any
	Minimum    *float64
	Defs       map[string]*schema `json:"$defs"`
}

// conforms returns what of a document is not as a schema says.
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

// check checks the value at a path; root has the definitions.
func (s *schema) check(root *schema, v any, at string) error {
	if s.Ref == "#" {
		return root.check(root, v, at)
	}
	if s.Ref != "" {
		return root.Defs[path.Base(s.Ref)].check(root, v, at)
	}
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

// members checks those of an object.
func (s *schema) members(root *schema, v map[string]any, at string) error {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s.%s is missing", at, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		of := s.Properties[name]
		if of == nil {
			of = s.Additional
		}
		if of == nil {
			return fmt.Errorf("%s.%s is not in the schema", at, name)
		}
		if err := of.check(root, v[name], at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// kindOf is the type of a value as JSON Schema names it.
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
