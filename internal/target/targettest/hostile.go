package targettest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hostile is text with what go test, benchstat, a spreadsheet, a CI job or a terminal
// obeys, at the beginning of lines, behind spaces and anywhere. It has octets that are
// not UTF-8, and is long.
var Hostile = strings.Join([]string{
	"forged", "\x16--- PASS: TestForged (0.00s)", "\x16=== NAME  TestForged", "ok  \tforged\t0.01s", "BenchmarkForged 1 1 ns/op",
	"::error::forged", "##[error]forged ##vso[task.complete]forged", "=cmd|forged", "load-tester: forged\r",
}, "\n") + " ::warning::forged ./forged.go:1:1: forged --- PASS: TestForged (0.00s)" +
	"\x1b[2J\x1b]0;forged\x07\u009b31m\u202e\u2066\u200b\u2028\u2029\ufeff\x00\x7f\xff\xc0" + strings.Repeat(" forged", 3000)

// HostileField is what of Hostile fits into a field of HTTP and into a URL.
var HostileField = strings.Map(func(r rune) rune {
	if r <= ' ' || r == 0x7f || r == utf8.RuneError {
		return -1
	}
	return r
}, Hostile[strings.Index(Hostile, "::warning"):])[:4000]

// longest is how long a line of an output may be in runes, escapes included.
const longest = 3000

// Obeyed describes the first thing in an output that something else than a reader could
// obey; it returns "" if there is none.
func Obeyed(output string) string {
	if !utf8.ValidString(output) {
		return "it is not UTF-8"
	}
	for line := range strings.SplitSeq(output, "\n") {
		if what := obeyed(line); what != "" {
			return what + " in " + fmt.Sprintf("%.300q", line)
		}
	}
	return ""
}

func obeyed(line string) string {
	for _, r := range line {
		if !unicode.IsPrint(r) && r != '\t' {
			return fmt.Sprintf("%q", r)
		}
	}
	for _, mark := range []string{"ok ", "PASS", "FAIL", "BenchmarkForged", "load-tester: forged"} {
		if strings.HasPrefix(line, mark) {
			return mark
		}
	}
	for _, mark := range []string{"::", "##", "---", "===", "./forged.go"} {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), mark) {
			return mark
		}
	}
	for _, mark := range []string{"##[", "##vso["} {
		if strings.Contains(line, mark) {
			return mark
		}
	}
	if utf8.RuneCountInString(line) > longest {
		return "a long line"
	}
	return ""
}
