package text

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// defaultWidth is the width in columns of a page whose terminal is not known.
const defaultWidth = 80

// width returns the number of columns that a page may take. A terminal may wrap after
// its last column.
func (p *page) width() int {
	return max(20, cmp.Or(p.s.Width, defaultWidth)-1)
}

// wrap breaks a row of a block at words. indent begins each row except the first.
func (p *page) wrap(s, indent string) []string { return Wrap(s, p.width()-len("  "), indent) }

// Wrap breaks a line at words into rows of at most room columns, unless a word is
// longer. indent begins each row except the first. No row begins with what a log reads
// as a command; see [isMark].
func Wrap(s string, room int, indent string) (rows []string) {
	text := strings.TrimLeft(s, " ")
	row := s[:len(s)-len(text)]
	for i, word := range strings.Split(text, " ") {
		if i > 0 && word != "" && !isMark(word) && utf8.RuneCountInString(row)+1+utf8.RuneCountInString(word) > room {
			rows, row = append(rows, strings.TrimRight(row, " ")), indent+word
			continue
		}
		if i > 0 {
			row += " "
		}
		row += word
	}
	return append(rows, row)
}

// isMark reports whether a word is, at the beginning of a row, an annotation of a CI
// job, a place in a file that becomes one, or the result of a test. A word that a
// server sent may be.
func isMark(word string) bool {
	return strings.ContainsRune(":#./=", rune(word[0])) || strings.HasPrefix(word, "---")
}

// fit wraps a row that is no sentence, where the width of the terminal is known: for
// other programs a row stays a line.
func (p *page) fit(s, indent string) []string {
	if p.s.Width == 0 {
		return []string{s}
	}
	return p.wrap(s, indent)
}
