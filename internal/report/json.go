package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes r as one indented JSON object and a final line end. Lists
// and objects without members are empty, never null.
func WriteJSON(w io.Writer, r *Report) error { return writeObject(w, r.whole()) }

// whole is a copy of r without nil lists; nil of nil.
func (r *Report) whole() *Report {
	if r == nil {
		return nil
	}
	out := *r
	out.StatusCodes = object(r.StatusCodes)
	out.Config = r.Config.whole()
	out.Errors = wholeErrors(r.Errors)
	out.Slowest = list(r.Slowest)
	out.Generator = r.Generator.whole()
	out.Intervals = list(r.Intervals)
	out.Limits = list(r.Limits)
	out.Repeat = r.Repeat.whole()
	return &out
}

// writeObject writes v as one indented JSON object and a final line end.
func writeObject(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // limits are full of < and >
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// whole is c without nil lists.
func (c Config) whole() Config {
	c.Stages = list(c.Stages)
	return c
}

// whole is g without nil lists.
func (g Generator) whole() Generator {
	g.SensorsOff, g.Warnings = list(g.SensorsOff), list(g.Warnings)
	return g
}

// wholeErrors is a copy of counts without nil lists.
func wholeErrors(counts []ErrorCount) []ErrorCount {
	out := list(counts)
	for i := range out {
		out[i].Samples = list(out[i].Samples)
	}
	return out
}

// list returns a copy of s that is not nil.
func list[T any](s []T) []T { return append([]T{}, s...) }

// object returns m, or an empty one for nil.
func object[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	return m
}
