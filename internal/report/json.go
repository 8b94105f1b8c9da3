package report

import (
	_ "embed"
	"encoding/json"
	"io"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (2020-12) of what [WriteJSON] writes.
func Schema() []byte { return slices.Clone(schema) }

// WriteJSON writes r as one indented JSON object and a final line end. Lists
// and objects without members are empty, never null.
func WriteJSON(w io.Writer, r *Report) error {
	out := *r
	if out.StatusCodes == nil {
		out.StatusCodes = map[string]int64{}
	}
	out.Config.Stages = list(r.Config.Stages)
	out.Errors = list(r.Errors)
	for i := range out.Errors {
		out.Errors[i].Samples = list(out.Errors[i].Samples)
	}
	out.Slowest = list(r.Slowest)
	out.Generator.SensorsOff = list(r.Generator.SensorsOff)
	out.Generator.Warnings = list(r.Generator.Warnings)
	out.Intervals = list(r.Intervals)
	out.Limits = list(r.Limits)

	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // limits are full of < and >
	enc.SetIndent("", "  ")
	return enc.Encode(&out)
}

// list returns a copy of s that is not nil.
func list[T any](s []T) []T { return append([]T{}, s...) }
