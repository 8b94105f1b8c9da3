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

// WriteJSON writes d as one indented JSON object and a newline. Lists and objects
// without members are written as empty, never as null, except within records.
func WriteJSON(w io.Writer, d *Document) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // limits are full of < and >
	enc.SetIndent("", "  ")
	return enc.Encode(d.withoutNil())
}

// withoutNil returns a copy of d whose nil lists are empty; nil for nil.
func (d *Document) withoutNil() *Document {
	if d == nil {
		return nil
	}
	out := *d
	out.Config.Stages = list(d.Config.Stages)
	out.Arm = *d.Arm.withoutNil()
	out.Base = d.Base.withoutNil()
	out.Claims, out.Ratios, out.Limits = list(d.Claims), list(d.Ratios), list(d.Limits)
	if d.Found != nil {
		out.Found = new(*d.Found)
		out.Found.Limits, out.Found.Trials = list(d.Found.Limits), list(d.Found.Trials)
	}
	out.Repeat = d.Repeat.withoutNil()
	out.Generator.SensorsOff, out.Generator.Warnings = list(d.Generator.SensorsOff), list(d.Generator.Warnings)
	return &out
}

func (a *Arm) withoutNil() *Arm {
	if a == nil {
		return nil
	}
	out := *a
	if out.StatusCodes == nil {
		out.StatusCodes = map[string]int64{}
	}
	out.Errors = list(a.Errors)
	for i := range out.Errors {
		out.Errors[i].Samples = list(out.Errors[i].Samples)
	}
	out.FailedStatuses = list(a.FailedStatuses)
	out.Addresses = list(a.Addresses)
	out.Slowest, out.Stalls, out.Intervals = list(a.Slowest), list(a.Stalls), list(a.Intervals)
	return &out
}

// list returns a copy of s that is not nil.
func list[T any](s []T) []T { return append([]T{}, s...) }
