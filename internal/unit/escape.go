package unit

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxLine is the length in runes of the longest text in a row: two lines of a wide
	// terminal.
	maxLine = 240
	// maxText is that of the longest text anywhere. Of a longer one maxHead runes stay
	// of its beginning, which says what it is about, and the others of its end, which
	// says what to do.
	maxText = 1000
	maxHead = 700
)

// Line makes text from outside fit for a row of a report, as [Printable] does, and
// cuts it at its end.
func Line(s string) string {
	if end := runeAt(s, maxLine); end < len(s) {
		return escape(s[:end]) + "..."
	}
	return escape(s)
}

// Printable makes text from outside fit for one line of any output. Characters that
// are not printable, such as line ends and the sequences that a terminal obeys, are
// written as in Go strings, and so is the beginning of what the log of a CI job obeys
// anywhere in a line. Long text loses its middle.
func Printable(s string) string {
	n := utf8.RuneCountInString(s)
	if n <= maxText {
		return escape(s)
	}
	return escape(s[:runeAt(s, maxHead)]) + " ... " + escape(s[runeAt(s, n-(maxText-maxHead)):])
}

// Message makes a message fit for one line, as [Printable] does. Line ends become
// semicolons, as they are between joined errors.
func Message(s string) string { return Printable(strings.ReplaceAll(s, "\n", "; ")) }

// runeAt returns the offset of rune n of s, the length of s if it has fewer.
func runeAt(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// jobCommands are what begins a command to GitHub, Azure and TeamCity in the output of
// a job, wherever in a line it stands.
var jobCommands = []string{"##[", "##vso[", "##teamcity["}

// escape writes characters that are not printable as in Go strings.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		invalid := r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError))
		switch {
		case invalid:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '#' && slices.ContainsFunc(jobCommands, func(c string) bool { return strings.HasPrefix(s[i:], c) }):
			b.WriteString(`\x23`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// PrintableAll makes all text that v points to [Printable]: that of exported fields,
// elements and the keys and values of maps. v must have no cycles.
func PrintableAll(v any) { printable(reflect.ValueOf(v)) }

func printable(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() {
			v.SetString(Printable(v.String()))
		}
	case reflect.Pointer:
		printable(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				printable(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			printable(v.Index(i))
		}
	case reflect.Map:
		printableMap(v)
	}
}

// printableMap does it for a map, whose keys and values cannot be set in place.
func printableMap(m reflect.Value) {
	for _, key := range m.MapKeys() {
		k, v := reflect.New(key.Type()).Elem(), reflect.New(m.Type().Elem()).Elem()
		k.Set(key)
		v.Set(m.MapIndex(key))
		printable(k)
		printable(v)
		m.SetMapIndex(key, reflect.Value{})
		m.SetMapIndex(k, v)
	}
}
