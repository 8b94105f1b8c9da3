package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

//go:embed schema.json
var runSchema []byte

//go:embed schema_compare.json
var comparisonSchema []byte

//go:embed schema_capacity.json
var capacitySchema []byte

// Schema returns the JSON Schema (2020-12) of what is written as JSON of a
// "run", a "compare" or a "capacity"; anything else is an error.
func Schema(of string) ([]byte, error) {
	switch of {
	case "run":
		return slices.Clone(runSchema), nil
	case "compare":
		return withShared(comparisonSchema)
	case "capacity":
		return withShared(capacitySchema)
	}
	return nil, fmt.Errorf("no schema of %q, want run, compare or capacity", of)
}

// A schema is a JSON Schema of an object, its members in their usual order.
type schema struct {
	Schema      string                     `json:"$schema"`
	ID          string                     `json:"$id"`
	Title       string                     `json:"title"`
	Type        string                     `json:"type"`
	Description string                     `json:"description"`
	Properties  json.RawMessage            `json:"properties"`
	Required    []string                   `json:"required"`
	Defs        map[string]json.RawMessage `json:"$defs"`
}

// withShared returns a schema with the definitions that it takes from the run's.
func withShared(own []byte) ([]byte, error) {
	var s, run schema
	if err := json.Unmarshal(own, &s); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(runSchema, &run); err != nil {
		return nil, err
	}
	reference := regexp.MustCompile(`"#/\$defs/(\w+)"`)
	for unseen := [][]byte{own}; len(unseen) > 0; unseen = unseen[1:] {
		for _, m := range reference.FindAllSubmatch(unseen[0], -1) {
			name := string(m[1])
			if _, has := s.Defs[name]; !has {
				s.Defs[name] = run.Defs[name]
				unseen = append(unseen, run.Defs[name])
			}
		}
	}
	var b bytes.Buffer
	err := writeObject(&b, &s)
	return b.Bytes(), err
}
