package http1

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A header assembles the fields of a request: first our own, except those that
// the user gave or does not want, then the user's in their order.
type header struct {
	user    []Field
	without []string // names of fields of ours
}

// singleFields may occur at most once in a request (RFC 9112 section 3.2, RFC
// 9110 sections 8.6 and 11.6.2).
var singleFields = []string{"Host", "Content-Length", "Authorization"}

// errNoToken does not repeat the name: a secret may be in it, if its colon is.
var errNoToken = errors.New("header: name is not a token; want a field like Name: value")

// check returns what is wrong with the user's fields for a body of this length.
func (h header) check(body int) error {
	var errs []error
	for _, f := range h.user {
		if !isToken(f.Name) {
			errs = append(errs, errNoToken)
			continue
		}
		errs = append(errs, checkValue("header "+f.Name, f.Value))
		switch {
		case strings.EqualFold(f.Name, "Transfer-Encoding"):
			// With another framing than ours, a server could read part of the
			// body as a further request, which would not be counted.
			errs = append(errs, fmt.Errorf("header %s: the body is sent with a Content-Length; leave it out", f.Name))
		case strings.EqualFold(f.Name, "Content-Length") && trimOWS(f.Value) != strconv.Itoa(body):
			errs = append(errs, fmt.Errorf("header %s: another number, but the body has %d octets; leave it out", f.Name, body))
		}
	}
	for _, name := range h.without {
		errs = append(errs, checkWithout(name, body))
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

// checkWithout returns an error if a request cannot do without a field.
func checkWithout(name string, body int) error {
	switch {
	case !isToken(name):
		return errNoToken
	case strings.EqualFold(name, "Host"):
		return errors.New("header Host: cannot be left out, every HTTP/1.1 request has one; want a value")
	case strings.EqualFold(name, "Content-Length") && body > 0:
		return errors.New("header Content-Length: cannot be left out, the server finds the end of the body by it")
	}
	return nil
}

// replaced reports whether the user gave the field or does not want it.
func (h header) replaced(name string) bool {
	return slices.ContainsFunc(h.user, func(f Field) bool { return strings.EqualFold(f.Name, name) }) ||
		slices.ContainsFunc(h.without, func(s string) bool { return strings.EqualFold(s, name) })
}

// get returns the user's values of a field as one list.
func (h header) get(name string) string {
	var values []string
	for _, f := range h.user {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return strings.Join(values, ", ")
}

// add appends a field of ours unless the user gave it or does not want it. For Host it appends the
// user's, because that field should come first (RFC 9110 section 7.2).
func (h header) add(b []byte, name, value string) []byte {
	if !h.replaced(name) {
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
			return fmt.Errorf("%s: control character %q in its value", what, c)
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
