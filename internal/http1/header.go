package http1

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A header assembles the fields of a request: first our own, except those that
// the user gave, then the user's in their order.
type header struct{ user []Field }

// singleFields may occur at most once in a request (RFC 9112 section 3.2, RFC
// 9110 sections 8.6 and 11.6.2).
var singleFields = []string{"Host", "Content-Length", "Authorization"}

// check returns what is wrong with the user's fields for a body of this length.
func (h header) check(body int) error {
	var errs []error
	for _, f := range h.user {
		if !isToken(f.Name) {
			errs = append(errs, fmt.Errorf("header %q: name is not a token; want a field like Name: value", f.Name))
			continue
		}
		errs = append(errs, checkValue("header "+f.Name, f.Value))
		switch {
		case strings.EqualFold(f.Name, "Transfer-Encoding"):
			// With another framing than ours, a server could read part of the
			// body as a further request, which would not be counted.
			errs = append(errs, fmt.Errorf("header %s: the body is sent with a Content-Length; leave it out", f.Name))
		case strings.EqualFold(f.Name, "Content-Length") && trimOWS(f.Value) != strconv.Itoa(body):
			errs = append(errs, fmt.Errorf("header %s: %q, but the body has %d octets; leave it out", f.Name, f.Value, body))
		}
	}
	for _, name := range singleFields {
		n := 0
		for _, f := range h.user {
			if strings.EqualFold(f.Name, name) {
				n++
			}
		}
		if n > 1 {
			errs = append(errs, fmt.Errorf("header %s: given %d times; a request has one", name, n))
		}
	}
	return errors.Join(errs...)
}

// has reports whether the user gave the field.
func (h header) has(name string) bool {
	_, ok := h.get(name)
	return ok
}

// get returns the user's values of a field as one list.
func (h header) get(name string) (list string, ok bool) {
	for _, f := range h.user {
		if strings.EqualFold(f.Name, name) {
			if ok {
				list += ", "
			}
			list, ok = list+f.Value, true
		}
	}
	return list, ok
}

// add appends a field of ours unless the user gave it. For Host it appends the
// user's, because that field should come first (RFC 9110 section 7.2).
func (h header) add(b []byte, name, value string) []byte {
	if !h.has(name) {
		return appendField(b, name, value)
	}
	if name == "Host" {
		for _, f := range h.user {
			if strings.EqualFold(f.Name, name) {
				b = appendField(b, f.Name, f.Value)
			}
		}
	}
	return b
}

// addUser appends the user's fields except Host, which add has appended.
func (h header) addUser(b []byte) []byte {
	for _, f := range h.user {
		if !strings.EqualFold(f.Name, "Host") {
			b = appendField(b, f.Name, f.Value)
		}
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, trimOWS(value)...)
	return append(b, "\r\n"...)
}

// trimOWS drops the optional whitespace around a field value.
func trimOWS(s string) string { return strings.Trim(s, " \t") }

// checkValue returns an error unless v is a field value (RFC 9110 section 5.5),
// without control characters except tab.
func checkValue(what, v string) error {
	for i := range len(v) {
		if c := v[i]; c != '\t' && isControl(c) {
			return fmt.Errorf("%s: control character %q in value %q", what, c, v)
		}
	}
	return nil
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !token[s[i]] {
			return false
		}
	}
	return s != ""
}
